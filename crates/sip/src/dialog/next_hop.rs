//! Where the next request of a dialog is sent (RFC 3261, 12.2.1.1 and 16.12).

use serde::{Deserialize, Serialize};

/// Where requests in a dialog are sent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NextHop {
    /// Down the flow by which the peer is known, whatever Contact and Record-Route say: phones (RFC 5626, 5.3).
    #[default]
    Flow,
    /// To the topmost Route, else to the remote target (RFC 3261, 12.2.1.1): carriers. An address is used at once, unless
    /// it is a private one of a peer that is not; for a name `News::Locate` asks once, and the flow serves meanwhile.
    Route,
}
