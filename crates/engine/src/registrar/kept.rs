//! A phone's binding as it is kept over a restart.

use std::time::Duration;

use model::{Text, Timestamp};
use serde::{Deserialize, Serialize};
use sip::{Flow, NameAddr, Uri};

use super::{Binding, Outbound};
use crate::edge::Now;

/// A binding in the store.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptBinding {
    contact: String,
    flow: Flow,
    user_agent: Text,
    call_id: Text,
    cseq: u32,
    expires: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    path: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outbound: Option<Outbound>,
    /// Whether it has to be asked whether it is there.
    #[serde(default)]
    behind_nat: bool,
    /// None: kept by a server that did not say.
    #[serde(default)]
    since: Option<Timestamp>,
}

impl KeptBinding {
    pub fn of(binding: &Binding) -> Self {
        Self {
            contact: binding.contact.to_string(),
            flow: binding.flow,
            user_agent: binding.user_agent.clone(),
            call_id: binding.call_id.clone(),
            cseq: binding.cseq,
            expires: binding.expires,
            path: binding.path.iter().map(|hop| String::from_utf8_lossy(&hop.print()).into_owned()).collect(),
            outbound: binding.outbound.clone(),
            behind_nat: binding.watch.is_some(),
            since: Some(binding.since),
        }
    }

    /// The binding, and whether it has to be asked whether it is there. None: it has ended, or went with its connection.
    pub fn into_binding(self, now: Now) -> Option<(Binding, bool)> {
        let left = Duration::try_from(self.expires.duration_since(now.wall)).ok()?;
        if self.flow.transport.is_reliable() || left.is_zero() {
            return None;
        }
        let path = self.path.into_iter().map(|hop| NameAddr::parse(hop.into())).collect::<Result<_, _>>().ok()?;
        let binding = Binding {
            contact: Uri::parse(self.contact.into()).ok()?,
            path,
            flow: self.flow,
            user_agent: self.user_agent,
            outbound: self.outbound,
            watch: None,
            call_id: self.call_id,
            cseq: self.cseq,
            expires_at: now.mono + left,
            expires: self.expires,
            since: self.since.unwrap_or(now.wall),
        };
        Some((binding, self.behind_nat))
    }
}
