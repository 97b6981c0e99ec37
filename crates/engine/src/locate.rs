//! Hosts that dialogs name and nobody knows the address of: asked of the outside, and until the answer comes the flow serves.

use std::collections::BTreeMap;

use model::{Target, TenantId, Ticket, Transport};
use sip::{DialogId, Flow, Interface, Scheme, Uri};

use crate::edge::{Answer, Question, Wire};
use crate::lines::sip::Trunks;

/// The most names that are asked for at a time. Dialogs beyond them stay on their flow.
const MOST: usize = 1_024;

/// Questions that are open.
#[derive(Debug, Default)]
pub struct Whereabouts {
    open: BTreeMap<Ticket, DialogId>,
    last: u64,
}

impl Whereabouts {
    /// The question where requests of a dialog have to go. None: nothing can be asked.
    pub fn ask(&mut self, tenant: TenantId, dialog: DialogId, uri: &Uri) -> Option<Wire> {
        let host = uri.host.as_ref().filter(|_| self.open.len() < MOST)?.to_string();
        let transport = match uri.params.get("transport").map(|word| word.to_ascii_lowercase()).as_deref() {
            Some(b"udp") => Some(Transport::Udp),
            Some(b"tcp") => Some(Transport::Tcp),
            Some(b"tls") => Some(Transport::Tls),
            _ => None,
        };
        self.last += 1;
        let ticket = Ticket(self.last);
        self.open.insert(ticket, dialog);
        let question = Question::Addresses { host, port: uri.port, transport, secure: uri.scheme == Scheme::Sips };
        Some(Wire::Ask { ticket, tenant, question })
    }

    /// The flow by which a dialog goes on, now that it is known. None: the one it has serves.
    pub fn answered(
        &mut self,
        ticket: Ticket,
        answer: Answer,
        interfaces: &[Interface],
        trunks: &mut Trunks,
    ) -> Option<(DialogId, Flow)> {
        let dialog = self.open.remove(&ticket)?;
        let Answer::Addresses(targets) = answer else { return None };
        let flow = |target: Target| {
            let transport = match target.transport {
                Transport::Udp => sip::Transport::Udp,
                Transport::Tcp => sip::Transport::Tcp,
                Transport::Tls => sip::Transport::Tls,
            };
            let interface = Interface::towards(interfaces, None, transport, target.address.ip())?;
            Some(Flow { transport, interface, connection: 0, remote: target.address })
        };
        trunks.in_turn(&targets).into_iter().find_map(flow).map(|flow| (dialog, flow))
    }
}
