//! Where a host of SIP is (RFC 3263), asked of a name server of ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Answer, Input, Question};
use hickory_resolver::proto::rr::RecordType;
use model::{Target, TenantId, Ticket, Transport};
use server::inbox::{Errand, Inbox};
use server::resolve::{Changes, Dns, Located, Names, Place, Questions, Unknown};
use server::tls::{Peers, Trust};
use testkit::phones::{Behaviour, Carrier};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::common::Server;
use crate::nameserver::{NameServer, Says};
use crate::support::office::{Company, Look, provision};
use crate::support::people::{TALKER, carrier, extension, signed_in};
use crate::support::tools::{LIMIT, until};

const BOTH: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];

/// Settings that nobody changes.
fn unchanged() -> Changes {
    Arc::new(|_| Box::pin(async { Err("nobody is there".into()) }))
}

fn names(server: &NameServer) -> Names {
    Names::new(Dns::new(Some(&[server.address])).expect("a resolver"), &BOTH)
}

fn place(host: &str, transport: Option<Transport>) -> Place {
    Place::parse(host, transport)
}

/// Targets as `rank/weight address transport`.
fn written(located: &Located) -> Vec<String> {
    let write = |target: &Target| {
        format!("{}/{} {} {:?}", target.rank, target.weight, target.address, target.transport).to_lowercase()
    };
    located.targets.iter().map(write).collect()
}

#[tokio::test]
async fn a_domain_says_its_transports_services_and_hosts() {
    let server = NameServer::start();
    server.domain(
        "example.test",
        &[
            (20, 0, "SIP+D2U", "_sip._udp.example.test"),
            (10, 0, "SIPS+D2T", "_sips._tcp.example.test"),
            (5, 0, "SIP+D2S", "_sip._sctp.example.test"),
        ],
    );
    server.service("_sips._tcp.example.test", 60, &[(0, 1, 5061, "safe.example.test")]);
    server.service("_sip._udp.example.test", 60, &[(7, 0, 5070, "b.example.test"), (3, 0, 5060, "a.example.test")]);
    server.host("safe.example.test", 60, &["192.0.2.1"]);
    server.host("a.example.test", 60, &["192.0.2.2", "2001:db8::2"]);
    server.host("b.example.test", 60, &["192.0.2.3"]);

    let located = names(&server).locate(&place("example.test", None)).await;

    let expected = [
        "0/1 192.0.2.1:5061 tls",
        "128/0 192.0.2.2:5060 udp",
        "129/0 [2001:db8::2]:5060 udp",
        "130/0 192.0.2.3:5070 udp",
    ];
    assert_eq!((written(&located), located.trouble), (expected.map(String::from).to_vec(), None));
}

#[tokio::test]
async fn without_naptr_every_transport_is_asked_for_in_turn() {
    let server = NameServer::start();
    server.service("_sip._tcp.example.test", 60, &[(0, 0, 5060, "a.example.test")]);
    server.service("_sips._tcp.example.test", 60, &[(0, 0, 5061, "a.example.test")]);
    server.host("a.example.test", 60, &["192.0.2.2"]);

    let located = names(&server).locate(&place("example.test", None)).await;

    assert_eq!(written(&located), ["128/0 192.0.2.2:5060 tcp", "256/0 192.0.2.2:5061 tls"]);
    assert_eq!(server.asked(RecordType::SRV), 3);
}

#[tokio::test]
async fn a_named_transport_asks_for_its_service_alone() {
    let server = NameServer::start();
    server.service("_sip._udp.example.test", 60, &[(0, 30, 5060, "a.example.test"), (0, 70, 5060, "b.example.test")]);
    server.host("a.example.test", 60, &["192.0.2.2"]);
    server.host("b.example.test", 60, &["192.0.2.3", "192.0.2.4"]);

    let located = names(&server).locate(&place("example.test", Some(Transport::Udp))).await;

    // Hosts with several addresses have no more calls for it.
    let expected = ["0/30 192.0.2.2:5060 udp", "0/35 192.0.2.3:5060 udp", "0/35 192.0.2.4:5060 udp"];
    assert_eq!(written(&located), expected);
    assert_eq!((server.asked(RecordType::NAPTR), server.asked(RecordType::SRV)), (0, 1));
}

#[tokio::test]
async fn a_named_port_asks_for_addresses_alone() {
    let server = NameServer::start();
    server.service("_sip._udp.example.test", 60, &[(0, 0, 9, "wrong.example.test")]);
    server.host("example.test", 60, &["192.0.2.9", "2001:db8::9"]);

    let located = names(&server).locate(&place("example.test:5080", Some(Transport::Tcp))).await;

    assert_eq!(written(&located), ["0/0 192.0.2.9:5080 tcp", "1/0 [2001:db8::9]:5080 tcp"]);
    assert_eq!(server.asked(RecordType::SRV), 0);
}

#[tokio::test]
async fn a_host_without_services_is_at_the_usual_port() {
    let server = NameServer::start();
    server.host("sip.example.test", 60, &["192.0.2.9"]);
    let names = names(&server);

    let plain = names.locate(&place("sip.example.test", None)).await;
    let safe = names.locate(&place("sip.example.test", Some(Transport::Tls))).await;
    let sips = names.locate(&Place { secure: true, ..place("sip.example.test", None) }).await;

    assert_eq!(written(&plain), ["0/0 192.0.2.9:5060 udp"]);
    assert_eq!(written(&safe), ["0/0 192.0.2.9:5061 tls"]);
    assert_eq!(written(&sips), ["0/0 192.0.2.9:5061 tls"]);
}

#[tokio::test]
async fn addresses_of_a_family_that_we_cannot_reach_are_left_out() {
    let server = NameServer::start();
    server.host("six.example.test", 60, &["2001:db8::9"]);
    let four_only = Names::new(Dns::new(Some(&[server.address])).expect("a resolver"), &BOTH[..1]);

    let located = four_only.locate(&place("six.example.test", None)).await;

    assert_eq!((located.targets, located.trouble), (Vec::new(), Some(Unknown::Nothing)));
}

#[tokio::test]
async fn a_service_that_is_declined_is_nowhere() {
    let server = NameServer::start();
    server.service("_sip._udp.example.test", 60, &[(0, 0, 0, ".")]);
    server.host("example.test", 60, &["192.0.2.9"]);

    let located = names(&server).locate(&place("example.test", Some(Transport::Udp))).await;

    assert_eq!((located.targets, located.trouble), (Vec::new(), Some(Unknown::Nothing)));
}

#[tokio::test]
async fn a_name_that_is_none_says_so_at_once() {
    let server = NameServer::start();

    for host in ["nobody.example.test", "a name with spaces.test", "-", &"x".repeat(300)] {
        let located = names(&server).locate(&place(host, None)).await;

        assert_eq!((located.targets, located.trouble), (Vec::new(), Some(Unknown::Nothing)), "{host}");
    }
}

#[tokio::test]
async fn a_failing_name_server_leaves_what_it_does_tell_and_says_that_it_may_be_wrong() {
    let server = NameServer::start();
    server.says("_sip._udp.example.test", RecordType::SRV, Says::Failure);
    server.host("example.test", 600, &["192.0.2.9"]);

    let located = names(&server).locate(&place("example.test", Some(Transport::Udp))).await;

    assert_eq!(written(&located), ["0/0 192.0.2.9:5060 udp"]);
    assert!(matches!(located.trouble, Some(Unknown::Failed(_))), "{:?}", located.trouble);
    assert!(located.until <= Instant::now() + Duration::from_secs(30), "it is asked again soon");
}

#[tokio::test(start_paused = true)]
async fn a_silent_name_server_is_given_up() {
    let server = NameServer::start();
    for kind in [RecordType::NAPTR, RecordType::SRV, RecordType::A, RecordType::AAAA] {
        server.says("example.test", kind, Says::Silence);
    }
    let since = tokio::time::Instant::now();

    let located = names(&server).locate(&place("example.test:5060", None)).await;

    assert!(matches!(located.trouble, Some(Unknown::Failed(_))), "{:?}", located.trouble);
    assert!(since.elapsed() <= Duration::from_secs(5), "{:?}", since.elapsed());
}

#[tokio::test]
async fn what_is_known_is_not_asked_again_before_its_time() {
    let server = NameServer::start();
    server.host("sip.example.test", 60, &["192.0.2.9"]);
    let names = names(&server);

    let first = names.locate(&place("sip.example.test:5060", None)).await;
    let second = names.locate(&place("sip.example.test:5060", None)).await;

    assert_eq!(server.asked(RecordType::A), 1);
    assert_eq!(first.targets, second.targets);
    let left = first.until.saturating_duration_since(Instant::now());
    assert!((Duration::from_secs(50)..=Duration::from_secs(60)).contains(&left), "{left:?}");
}

#[tokio::test]
async fn a_host_met_in_a_dialog_is_answered_with_its_targets_or_with_why_not() {
    let server = NameServer::start();
    server.service("_sips._tcp.edge.example.test", 60, &[(0, 0, 5071, "a.example.test")]);
    server.host("a.example.test", 60, &["192.0.2.2"]);
    let poll = mio::Poll::new().expect("a poll");
    let waker = mio::Waker::new(poll.registry(), mio::Token(0)).expect("a waker");
    let (inbox, mut waiting) = Inbox::new(waker);
    let peers = Peers::new(&Trust::default(), None).expect("peers");
    let crm = api::Crm::new(api::Outward::new().expect("clients"));
    let (_directory, tenants) = watch::channel(Arc::default());
    let questions = Questions::new(Handle::current(), inbox, names(&server), peers, crm, unchanged(), tenants);
    let question = |host: &str| Question::Addresses { host: host.into(), port: None, transport: None, secure: true };
    let mut answers = Vec::new();

    for (ticket, host) in [(1, "edge.example.test"), (2, "nobody.example.test"), (3, "[2001:db8::7]")] {
        assert_eq!(questions.ask(Ticket(ticket), TenantId(1), question(host)), None);
        let Some(Errand::Input(input)) = waiting.errands.recv().await else { panic!("an input") };
        let Input::Answer { ticket: Ticket(answered), answer } = *input else { panic!("an answer") };
        answers.push((answered, answer));
    }

    let at = |address: &str| Target::only(address.parse().expect("an address"), Transport::Tls);
    let expected = [
        (1, Answer::Addresses(vec![at("192.0.2.2:5071")])),
        (2, Answer::Failed("the name has no address".into())),
        (3, Answer::Addresses(vec![at("[2001:db8::7]:5061")])),
    ];
    assert_eq!(answers, expected);
}

#[test]
fn calls_follow_a_trunk_that_moves() {
    let dns = NameServer::start();
    let (first, second) = (carrier(), carrier());
    let moves_to = |carrier: &Carrier| {
        dns.service("_sip._udp.sip.example.test", 1, &[(0, 0, carrier.address().port(), "edge.example.test")]);
    };
    dns.host("edge.example.test", 1, &["127.0.0.1"]);
    moves_to(&first);
    let yaml = provision(&[Company::with_carrier(first.address())])
        .replace(&format!("address: \"{}\"", first.address()), "address: sip.example.test");
    let server = Server::start(&yaml, &["--dns", &dns.address.to_string()]);
    let phone = signed_in(extension(server.sip, "101", 440).behaves(Behaviour::answers(Duration::ZERO)));
    let calls = |carrier: &Carrier| carrier.received_count(&sip::Method::Invite);
    let call = || {
        phone.call(TALKER).expect("a call");
        phone.wait_answered(LIMIT).expect("an answer");
        phone.hang_up().expect("it hangs up");
        phone.wait_idle(LIMIT).expect("it is over");
    };

    call();
    assert_eq!((calls(&first), calls(&second)), (1, 0));
    let asked = dns.asked(RecordType::SRV);
    moves_to(&second);
    // When it is asked for the second time, the first answer has gone all the way.
    until("the trunk is looked up again", || (dns.asked(RecordType::SRV) > asked + 1).then_some(()));
    call();
    assert_eq!((calls(&first), calls(&second)), (1, 1));

    for (name, kind) in [
        ("_sip._udp.sip.example.test", RecordType::SRV),
        ("sip.example.test", RecordType::A),
        ("sip.example.test", RecordType::AAAA),
    ] {
        dns.says(name, kind, Says::Failure);
    }
    let asked = dns.asked(RecordType::A);
    until("the name server has failed", || (dns.asked(RecordType::A) > asked).then_some(()));
    (0..5).for_each(|_| call());
    assert_eq!((calls(&first), calls(&second)), (1, 6), "it stays where it was");

    Look { server: &server, key: "DEMO" }.wait_clean();
}
