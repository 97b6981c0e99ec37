//! A name server of a few lines: canned answers by UDP on loopback, and a list of what it was asked.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// What is said to one question.
#[derive(Clone)]
pub enum Says {
    /// These, for so many seconds.
    Records(u32, Vec<RData>),
    /// That it is broken.
    Failure,
    /// Nothing at all.
    Silence,
}

/// A running name server. What it was not told of, it says that there is nothing of.
#[derive(Clone)]
pub struct NameServer {
    /// Where it is.
    pub address: SocketAddr,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    says: HashMap<(String, RecordType), Says>,
    asked: Vec<(String, RecordType)>,
}

impl NameServer {
    /// One that knows nothing.
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        let server = Self { address: socket.local_addr().expect("bound"), book: Arc::default() };
        let answering = server.clone();
        std::thread::spawn(move || answering.run(&socket));
        server
    }

    /// Addresses of a host.
    pub fn host(&self, name: &str, ttl: u32, ips: &[&str]) {
        let ips: Vec<IpAddr> = ips.iter().map(|ip| ip.parse().expect("an address")).collect();
        let of = |data: fn(IpAddr) -> Option<RData>| ips.iter().copied().filter_map(data).collect::<Vec<_>>();
        let four = of(|ip| if let IpAddr::V4(ip) = ip { Some(RData::A(A(ip))) } else { None });
        let six = of(|ip| if let IpAddr::V6(ip) = ip { Some(RData::AAAA(AAAA(ip))) } else { None });
        self.says(name, RecordType::A, Says::Records(ttl, four));
        self.says(name, RecordType::AAAA, Says::Records(ttl, six));
    }

    /// Who offers a service: priority, weight, port, host.
    pub fn service(&self, name: &str, ttl: u32, offers: &[(u16, u16, u16, &str)]) {
        let offers = offers
            .iter()
            .map(|(priority, weight, port, host)| RData::SRV(SRV::new(*priority, *weight, *port, self::name(host))));
        self.says(name, RecordType::SRV, Says::Records(ttl, offers.collect()));
    }

    /// What a domain speaks: order, preference, service, the name to go on with.
    pub fn domain(&self, name: &str, services: &[(u16, u16, &str, &str)]) {
        let services = services.iter().map(|(order, preference, service, next)| {
            let (flags, service): (Box<[u8]>, Box<[u8]>) = ((*b"s").into(), service.as_bytes().into());
            RData::NAPTR(NAPTR::new(*order, *preference, flags, service, Box::default(), self::name(next)))
        });
        self.says(name, RecordType::NAPTR, Says::Records(60, services.collect()));
    }

    /// Anything.
    pub fn says(&self, name: &str, kind: RecordType, says: Says) {
        self.book().says.insert((self::name(name).to_ascii(), kind), says);
    }

    /// How often it was asked for records of that kind.
    pub fn asked(&self, kind: RecordType) -> usize {
        self.book().asked.iter().filter(|(_, asked)| *asked == kind).count()
    }

    fn run(&self, socket: &UdpSocket) {
        let mut packet = [0; 4_096];
        while let Ok((length, asker)) = socket.recv_from(&mut packet) {
            let Some(answer) = Message::from_vec(&packet[..length]).ok().and_then(|asked| self.answer(&asked)) else {
                continue;
            };
            let _ = socket.send_to(&answer.to_vec().expect("printed"), asker);
        }
    }

    fn answer(&self, asked: &Message) -> Option<Message> {
        let query = asked.queries.first()?;
        let key = (query.name().to_lowercase().to_ascii(), query.query_type());
        let mut book = self.book();
        book.asked.push(key.clone());
        let mut answer = Message::response(asked.metadata.id, OpCode::Query);
        answer.metadata.recursion_available = true;
        answer.add_query(query.clone());
        match book.says.get(&key) {
            Some(Says::Silence) => return None,
            Some(Says::Failure) => answer.metadata.response_code = ResponseCode::ServFail,
            Some(Says::Records(ttl, records)) => {
                let record = |data: &RData| Record::from_rdata(query.name().clone(), *ttl, data.clone());
                answer.add_answers(records.iter().map(record));
            }
            None if book.says.keys().any(|(name, _)| *name == key.0) => {}
            None => answer.metadata.response_code = ResponseCode::NXDomain,
        }
        Some(answer)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("nothing panics with it")
    }
}

fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).expect("a name");
    name.set_fqdn(true);
    name
}
