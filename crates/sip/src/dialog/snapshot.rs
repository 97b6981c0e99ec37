//! What has to be stored of a dialog so that it can be ended after a restart.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Dialog, NextHop, Remote};
use crate::Flow;

/// How far the numbers of our requests jump after a restart: the stored one may be older than the latest sent.
const JUMP: u32 = 1_000;

/// A dialog as it is stored. Texts are header values as they stand in messages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DialogSnapshot {
    /// Where requests go.
    pub flow: Flow,
    /// Whether routes and the remote target have a say in that.
    #[serde(default)]
    pub next_hop: NextHop,
    /// Call-ID.
    pub call_id: String,
    /// From of our requests, with our tag.
    pub local: String,
    /// Our tag.
    pub local_tag: String,
    /// To of our requests, with their tag.
    pub remote: String,
    /// Their tag.
    pub remote_tag: Option<String>,
    /// The remote target.
    pub target: String,
    /// The route set, in the order in which a request of ours visits it.
    pub routes: Vec<String>,
    /// Our Contact.
    pub contact: String,
    /// CSeq of our latest request.
    pub local_cseq: u32,
    /// CSeq of their latest request.
    pub remote_cseq: Option<u32>,
    /// True if the first INVITE was ours.
    pub is_caller: bool,
}

impl Dialog {
    pub(crate) fn snapshot(&self) -> DialogSnapshot {
        DialogSnapshot {
            flow: self.flow,
            next_hop: self.next_hop,
            call_id: text(&self.call_id),
            local: text(&self.local),
            local_tag: text(&self.local_tag),
            remote: text(&self.remote.address),
            remote_tag: self.remote.tag.as_ref().map(text),
            target: text(&self.remote.target),
            routes: self.remote.routes.iter().map(text).collect(),
            contact: text(&self.contact),
            local_cseq: self.local_cseq,
            remote_cseq: self.remote_cseq,
            is_caller: self.is_caller,
        }
    }

    pub(crate) fn from_snapshot(snapshot: DialogSnapshot) -> Self {
        Self {
            flow: snapshot.flow,
            next_hop: snapshot.next_hop,
            call_id: snapshot.call_id.into(),
            local: snapshot.local.into(),
            local_tag: snapshot.local_tag.into(),
            contact: snapshot.contact.into(),
            remote: Remote {
                address: snapshot.remote.into(),
                tag: snapshot.remote_tag.map(Bytes::from),
                target: snapshot.target.into(),
                routes: snapshot.routes.into_iter().map(Bytes::from).collect(),
            },
            local_cseq: snapshot.local_cseq.saturating_add(JUMP),
            remote_cseq: snapshot.remote_cseq,
            is_caller: snapshot.is_caller,
        }
    }
}

/// Only names people are shown may hold bytes that are no text; they play no part in finding the dialog.
fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
