//! Ways to and from the public network: trunks, outbound rules, numbers.

use model::{Codec, DialFormat, DidFrom, ForwardedCaller, NumberRoute, Outbound, Trunk, TrunkIdentity};

use super::floor::{Named, route};
use super::section::{Section, text_of};
use super::shown::shown;
use super::words::{host_and_port, public_number, short_name, sources};
use super::yaml::Node;
use super::{Lined, ProvisionError, Reference, TrunkDraft, wrong};

const TRUNK: [&str; 20] = [
    "name",
    "address",
    "transport",
    "username",
    "password",
    "register",
    "accept_from",
    "did_from",
    "outbound_proxy",
    "media_from",
    "srtp",
    "trusted",
    "via",
    "max_calls",
    "max_calls_per_second",
    "codecs",
    "dial_format",
    "identity",
    "forwarded_caller",
    "health_seconds",
];
const TRANSPORTS: [(&str, &str); 4] = [("udp", "udp"), ("tcp", "tcp"), ("tls", "tls"), ("auto", "auto")];
const SRTP: [(&str, &str); 3] = [("none", "none"), ("optional", "optional"), ("required", "required")];
const DID_FROM: [(&str, DidFrom); 3] =
    [("request_uri", DidFrom::RequestUri), ("to", DidFrom::To), ("p_called_party_id", DidFrom::PCalledPartyId)];
const DIAL_FORMATS: [(&str, DialFormat); 3] =
    [("national", DialFormat::National), ("e164", DialFormat::E164), ("international", DialFormat::International)];
const IDENTITIES: [(&str, TrunkIdentity); 2] = [("from", TrunkIdentity::From), ("pai", TrunkIdentity::Pai)];
const FORWARDED_CALLERS: [(&str, ForwardedCaller); 2] =
    [("own", ForwardedCaller::Own), ("caller", ForwardedCaller::Caller)];
const CODECS: [(&str, Codec); 4] =
    [("pcma", Codec::Pcma), ("pcmu", Codec::Pcmu), ("g722", Codec::G722), ("opus", Codec::Opus)];

/// One of `trunks`, the operator's or a tenant's.
pub(super) fn trunk(node: Node) -> Result<Lined<TrunkDraft>, ProvisionError> {
    let mut section = Section::of(node, "a trunk", &TRUNK)?;
    let name = section.need_text("name")?;
    short_name(&name, "a trunk")?;
    let address = section.need_text("address")?;
    host_and_port(&address, "address")?;
    let outbound_proxy = section.text("outbound_proxy")?;
    if let Some(proxy) = &outbound_proxy {
        host_and_port(proxy, "outbound_proxy")?;
    }
    let (username_line, password_line) = (section.line_of("username"), section.line_of("password"));
    let username = section.text("username")?.map(|username| username.value);
    let password = section.secret("password")?;
    if username.is_some() != password.is_some() {
        let line = if username.is_some() { username_line } else { password_line };
        return Err(wrong(line, "`username` and `password` of a trunk go together: write both, or leave both out"));
    }
    let register_line = section.line_of("register");
    let register = section.flag("register", false)?;
    if register && username.is_none() {
        return Err(wrong(register_line, "a trunk that registers needs `username` and `password`: add them"));
    }
    let trunk = Trunk {
        name: name.value,
        shared: false,
        contact: String::new(),
        address: address.value,
        resolved: Vec::new(),
        transport: section.word("transport", &TRANSPORTS, "udp")?.to_owned(),
        username,
        password: None,
        register,
        accept_from: sources(&mut section, "accept_from")?,
        did_from: section.word("did_from", &DID_FROM, DidFrom::RequestUri)?,
        outbound_proxy: outbound_proxy.map(|proxy| proxy.value),
        media_from: sources(&mut section, "media_from")?,
        srtp: section.word("srtp", &SRTP, "none")?.to_owned(),
        trusted: section.flag("trusted", false)?,
        via: section.text("via")?.map(|via| via.value),
        max_calls: section.number("max_calls", 1..=1_000_000, 100)?,
        max_calls_per_second: section.number("max_calls_per_second", 1..=100_000, 20)?,
        codecs: section.words("codecs", &CODECS, &[Codec::Pcma, Codec::Pcmu])?,
        dial_format: section.word("dial_format", &DIAL_FORMATS, DialFormat::National)?,
        identity: section.word("identity", &IDENTITIES, TrunkIdentity::From)?,
        forwarded_caller: section.word("forwarded_caller", &FORWARDED_CALLERS, ForwardedCaller::Own)?,
        health_seconds: section.optional_number("health_seconds", 0..=3_600)?,
    };
    Ok(Lined { line: section.line, value: TrunkDraft { trunk, password } })
}

/// One of `outbound`.
pub(super) fn outbound(node: Node, named: &mut Named) -> Result<Lined<Outbound>, ProvisionError> {
    let mut section = Section::of(node, "an outbound rule", &["prefix", "trunks", "strip", "prepend"])?;
    let trunks_line = section.line_of("trunks");
    let trunks = section.texts("trunks")?;
    if trunks.is_empty() {
        return Err(wrong(trunks_line, "an outbound rule needs `trunks`: name at least one"));
    }
    named.extend(trunks.iter().map(|one| Lined { line: one.line, value: Reference::Trunk(one.value.clone()) }));
    let outbound = Outbound {
        prefix: dialled(&mut section, "prefix", "0")?,
        trunks: trunks.into_iter().map(|name| name.value).collect(),
        strip: section.number("strip", 0..=32, 0)?,
        prepend: dialled(&mut section, "prepend", "")?,
    };
    Ok(Lined { line: section.line, value: outbound })
}

/// One of `numbers`.
pub(super) fn number(node: Node, country: &str, named: &mut Named) -> Result<Lined<NumberRoute>, ProvisionError> {
    let mut section = Section::of(node, "a number", &["number", "route"])?;
    let number = public_number(&section.need_text("number")?, country)?;
    let route = route(section.need("route")?, "route", named)?;
    Ok(Lined { line: section.line, value: NumberRoute { number, route } })
}

// May be empty, which text otherwise may not.
fn dialled(section: &mut Section, key: &str, default: &str) -> Result<String, ProvisionError> {
    let Some(node) = section.take(key) else { return Ok(default.to_owned()) };
    if node.value == super::yaml::Value::Text(String::new()) {
        return Ok(String::new());
    }
    let text = text_of(node, key)?;
    if text.value.len() > 32 || !text.value.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c)) {
        let sentence = format!(
            "`{}` cannot be dialled as `{key}`: use up to 32 digits, *, # and +, in quotes",
            shown(&text.value)
        );
        return Err(wrong(text.line, sentence));
    }
    Ok(text.value)
}
