//! Hosts that dialogs name and nobody knows the address of: asked of the outside, and until the answer comes the flow serves.

use std::collections::BTreeMap;

use model::{Target, TenantId, Ticket, Transport};
use sip::{DialogId, Flow, Host, Interface, Scheme, Uri};

use crate::edge::{Answer, Question, Wire};
use crate::trunks::Trunks;

/// The most names that are asked for at a time. Dialogs beyond them stay on their flow.
const MOST: usize = 1_024;

/// Questions that are open.
#[derive(Debug, Default)]
pub struct Whereabouts {
    open: BTreeMap<Ticket, DialogId>,
}

impl Whereabouts {
    /// The question where requests of a dialog have to go. None: nothing can be asked.
    pub fn ask(&mut self, ticket: Ticket, tenant: TenantId, dialog: DialogId, uri: &Uri) -> Option<Wire> {
        let named = uri.params.get("maddr").and_then(|host| Host::parse(host.clone()).ok());
        let host = named.as_ref().or(uri.host.as_ref()).filter(|_| self.open.len() < MOST)?.to_string();
        let transport = match uri.params.get("transport").map(|word| word.to_ascii_lowercase()).as_deref() {
            Some(b"udp") => Some(Transport::Udp),
            Some(b"tcp") => Some(Transport::Tcp),
            Some(b"tls") => Some(Transport::Tls),
            _ => None,
        };
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use sip::{Endpoint, EndpointConfig, Headers, Invite, NameAddr, NextHop};

    use super::*;
    use crate::fixture;

    fn uri(text: &str) -> Uri {
        Uri::parse(Bytes::copy_from_slice(text.as_bytes())).expect("a URI")
    }

    fn interfaces() -> Vec<Interface> {
        vec![Interface::at("main", ([192, 0, 2, 1], 5060).into())]
    }

    /// A dialog of any kind.
    fn dialog() -> DialogId {
        let config = EndpointConfig {
            software: String::new(),
            mark: "1".into(),
            interfaces: interfaces(),
            allow: String::new(),
            session: None,
            max_transactions: 10,
            max_dialogs: 10,
        };
        let mut endpoint = Endpoint::new(config, [1; 32]);
        let somebody = uri("sip:somebody@198.51.100.1");
        let invite = Invite {
            flow: Flow::udp(0, ([198, 51, 100, 1], 5060).into()),
            from: NameAddr::new(somebody.clone()),
            to: NameAddr::new(somebody.clone()),
            uri: somebody,
            route: Vec::new(),
            headers: Headers::new(),
            body: None,
            credentials: None,
            answer_within: None,
            next_hop: NextHop::Route,
        };
        endpoint.invite(fixture::instant(), 1_u8, invite).expect("there is room")
    }

    #[test]
    fn a_name_is_asked_for_as_its_uri_has_it_and_the_first_place_of_the_answer_is_taken() {
        let (mut whereabouts, mut trunks, dialog) = (Whereabouts::default(), Trunks::new([1; 32]), dialog());

        let asked = whereabouts.ask(Ticket(1), TenantId(1), dialog, &uri("sip:1@edge.example:5070;transport=TCP"));
        let Some(Wire::Ask { ticket, question, .. }) = asked else { panic!("{asked:?}") };
        let places = [(2, 3), (1, 2)]
            .map(|(rank, last)| Target { rank, ..Target::only(([203, 0, 113, last], 5070).into(), Transport::Tcp) });
        let found = whereabouts.answered(ticket, Answer::Addresses(places.to_vec()), &interfaces(), &mut trunks);

        let (host, port, transport) = ("edge.example".to_owned(), Some(5070), Some(Transport::Tcp));
        assert_eq!(question, Question::Addresses { host, port, transport, secure: false });
        let flow = Flow { transport: sip::Transport::Tcp, ..Flow::udp(0, ([203, 0, 113, 2], 5070).into()) };
        assert_eq!(found, Some((dialog, flow)));
        assert_eq!(whereabouts.answered(ticket, Answer::Failed("late".into()), &interfaces(), &mut trunks), None);
    }

    #[test]
    fn a_name_without_an_address_leaves_the_dialog_where_it_is() {
        let (mut whereabouts, mut trunks) = (Whereabouts::default(), Trunks::new([1; 32]));

        let asked = whereabouts.ask(Ticket(1), TenantId(1), dialog(), &uri("sip:1@edge.example"));
        let Some(Wire::Ask { ticket, .. }) = asked else { panic!("{asked:?}") };

        let nothing = Answer::Failed("the name server does not answer".into());
        assert_eq!(whereabouts.answered(ticket, nothing, &interfaces(), &mut trunks), None);
    }
}
