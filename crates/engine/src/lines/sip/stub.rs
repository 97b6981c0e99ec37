//! What the next engine needs to end a leg, should this one die: the dialog, and the trunk whose account its BYE may have to
//! be signed with.

use serde::{Deserialize, Serialize};
use sip::{DialogSnapshot, Login};

use crate::key::TrunkKey;
use crate::trunks::{Trunks, login};

#[derive(Serialize, Deserialize)]
struct Stub {
    dialog: DialogSnapshot,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trunk: Option<TrunkKey>,
}

/// Writes down an answered dialog.
pub fn write(dialog: DialogSnapshot, trunk: Option<TrunkKey>) -> Option<String> {
    serde_json::to_string(&Stub { dialog, trunk }).ok()
}

/// Reads what an earlier engine wrote down, with what its BYE is signed with if that is asked for.
pub fn read(text: &str, trunks: &Trunks) -> Option<(DialogSnapshot, Option<Login>)> {
    let Stub { dialog, trunk } = match serde_json::from_str(text) {
        Ok(stub) => stub,
        // Engines before trunks had accounts for later requests wrote the dialog alone.
        Err(_) => Stub { dialog: serde_json::from_str(text).ok()?, trunk: None },
    };
    let login = trunk.and_then(|key| trunks.settings(&key).and_then(login));
    Some((dialog, login))
}
