//! Orders to live calls: transferred, put aside, silenced, keys, sounds, recording.

use model::{
    ActingLeg, CallId, Command, Dialled, PlayedSound, Problem, RecordAction, Reply, Role, Transfer, TransferMode,
};
use store::Author;

use super::{Asker, Refusal, audit, unexpected};
use crate::App;

/// The most keys that are pressed by one order.
const MOST_KEYS: usize = 64;
/// The longest that a sound is played, in seconds.
const LONGEST_SOUND: u32 = 3_600;
/// No extension's number is longer.
const LONGEST_EXTENSION: usize = 32;

/// A transfer that is under way.
pub(crate) struct Transferring {
    /// The call in which the target is asked first.
    pub consultation: Option<CallId>,
}

/// Which leg acts: a leg's id, an extension's number, or, where nothing is said, the call's only extension.
pub(crate) fn acting_leg(named: Option<&str>) -> Result<ActingLeg, Refusal> {
    let Some(named) = named.map(str::trim) else { return Ok(ActingLeg::OnlyExtension) };
    if let Ok(leg) = named.parse() {
        return Ok(ActingLeg::Leg(leg));
    }
    let is_extension =
        (1..=LONGEST_EXTENSION).contains(&named.len()) && named.bytes().all(|byte| byte.is_ascii_graphic());
    if is_extension {
        Ok(ActingLeg::Extension(named.to_owned()))
    } else {
        Err(Refusal::wrong("leg: the id of one of the call's legs, or the number of an extension that talks in it"))
    }
}

/// Gives the other side to somebody else.
pub(crate) async fn transfer(
    app: &App,
    asker: &Asker,
    call: CallId,
    leg: ActingLeg,
    to: &str,
    mode: TransferMode,
) -> Result<Transferring, Refusal> {
    asker.needs(Role::Agent)?;
    let to = Dialled::parse(to).map_err(|error| Problem::BadNumber { detail: error.to_string() })?;
    match give(app, asker, Command::Transfer(Transfer { call, leg, to, mode })).await? {
        Reply::Transferring { consultation, .. } => Ok(Transferring { consultation }),
        other => Err(unexpected(&other).into()),
    }
}

/// Puts the other side aside, with music.
pub(crate) async fn hold(app: &App, asker: &Asker, call: CallId, leg: ActingLeg) -> Result<(), Refusal> {
    order(app, asker, Command::Hold { call, leg }).await
}

/// Takes the other side back.
pub(crate) async fn resume(app: &App, asker: &Asker, call: CallId, leg: ActingLeg) -> Result<(), Refusal> {
    order(app, asker, Command::Resume { call, leg }).await
}

/// Silences a party, or lets it be heard again.
pub(crate) async fn mute(app: &App, asker: &Asker, call: CallId, leg: ActingLeg, muted: bool) -> Result<(), Refusal> {
    order(app, asker, Command::Mute { call, leg, muted }).await
}

/// Presses keys in the place of a party.
pub(crate) async fn press_keys(
    app: &App,
    asker: &Asker,
    call: CallId,
    leg: ActingLeg,
    keys: &str,
) -> Result<(), Refusal> {
    asker.needs(Role::Agent)?;
    let keys = keys.to_ascii_uppercase();
    let is_key = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'*' | b'#' | b'A'..=b'D');
    if !(1..=MOST_KEYS).contains(&keys.len()) || !keys.bytes().all(is_key) {
        return Err(Refusal::wrong(format!("keys: 1 to {MOST_KEYS} of 0-9, *, # and A-D")));
    }
    order(app, asker, Command::PressKeys { call, leg, keys }).await
}

/// Plays a sound in place of the other side, or ends what is played.
pub(crate) async fn play(
    app: &App,
    asker: &Asker,
    call: CallId,
    leg: Option<ActingLeg>,
    sound: Option<PlayedSound>,
    seconds: Option<u32>,
) -> Result<(), Refusal> {
    asker.needs(Role::Agent)?;
    if seconds.is_some_and(|seconds| !(1..=LONGEST_SOUND).contains(&seconds)) {
        return Err(Refusal::wrong(format!("seconds: 1 to {LONGEST_SOUND}, or nothing: until it is ended")));
    }
    order(app, asker, Command::Play { call, leg, sound, seconds }).await
}

/// Begins, pauses or ends the recording of a conversation. What is not in a recording is missing for ever, so that the
/// audit log says who wanted it so.
pub(crate) async fn record(
    app: &App,
    asker: &Asker,
    author: &Author,
    call: CallId,
    action: RecordAction,
) -> Result<(), Refusal> {
    order(app, asker, Command::Record { call, action }).await?;
    let verb = match action {
        RecordAction::Start => "start",
        RecordAction::Pause => "pause",
        RecordAction::Resume => "resume",
        RecordAction::Stop => "stop",
    };
    audit::note(app, author, asker.tenant, (verb, "recording"), &call.to_string(), None).await;
    Ok(())
}

async fn order(app: &App, asker: &Asker, command: Command) -> Result<(), Refusal> {
    asker.needs(Role::Agent)?;
    match give(app, asker, command).await? {
        Reply::Done { .. } => Ok(()),
        other => Err(unexpected(&other).into()),
    }
}

async fn give(app: &App, asker: &Asker, command: Command) -> Result<Reply, Problem> {
    app.switchboard.command(asker.tenant, asker.actor.clone(), command).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_is_named_by_its_id_or_by_an_extension() {
        let leg = |named| acting_leg(named).ok();

        assert_eq!(leg(None), Some(ActingLeg::OnlyExtension));
        assert_eq!(leg(Some("101")), Some(ActingLeg::Extension("101".into())));
        let id = "1700000000.1000101".parse().expect("an id");
        assert_eq!(leg(Some("1700000000.1000101")), Some(ActingLeg::Leg(id)));
        for wrong in ["", " ", "một trăm", "1 0 1", &"1".repeat(33)] {
            assert_eq!(leg(Some(wrong)), None, "{wrong}");
        }
    }
}
