//! What the Socket.IO server says besides the story: greetings, refusals and farewells (readings 15).
//!
//! Each has the document's event name, a status of the vendor's kind, a word for machines that never changes, and a
//! sentence in Vietnamese and English.

use serde::Serialize;

use super::wire::{FAILED, PORTAL_OK};

/// The body of a greeting, a refusal or a farewell.
#[derive(Clone, Copy, Serialize, PartialEq, Eq, Debug)]
pub(crate) struct Said {
    pub status: u16,
    /// The word for machines.
    pub code: &'static str,
    /// The short text that old pages log.
    pub message: &'static str,
    pub message_vi: &'static str,
    pub message_en: &'static str,
}

macro_rules! said {
    ($($(#[doc = $doc:literal])+ $name:ident $status:ident $code:literal $message:literal $vi:literal $en:literal;)*) => {
        $($(#[doc = $doc])+ pub(crate) const $name: Said = Said {
            status: $status,
            code: $code,
            message: $message,
            message_vi: $vi,
            message_en: $en,
        };)*

        /// All of them.
        #[cfg(test)]
        pub(crate) const ALL: &[Said] = &[$($name),*];
    };
}

said! {
    /// `connecting`
    CONNECTING PORTAL_OK "connecting" "connecting" "Đã kết nối, hãy gửi khóa bằng sign." "Connected: send your key with sign.";
    /// `signing`
    SIGNING PORTAL_OK "signing" "signing" "Đang xác thực khóa." "Your key is being checked.";
    /// `connected` and `connection`
    CONNECTED PORTAL_OK "connected" "connected" "Khóa hợp lệ, sự kiện cuộc gọi sẽ được gửi đến." "Your key is valid: events of calls follow.";
    /// `say`
    SAY PORTAL_OK "say" "say" "Hãy trả lời bằng hello, mỗi 10 đến 15 giây." "Answer with hello, every 10 to 15 seconds.";
    /// `resumed`
    RESUMED PORTAL_OK "resumed" "resumed" "Các sự kiện đã lỡ sẽ được gửi lại theo thứ tự." "The events you missed follow in order.";
    /// `resumed`, where the number is none of ours.
    BAD_NUMBER FAILED "bad_number" "number is invalid" "resume cần number của sự kiện cuối cùng đã nhận." "resume takes the number of the last event you heard.";
    /// `error`
    KEY_INVALID FAILED "key_invalid" "key is invalid" "Khóa không đúng hoặc đã bị xóa." "The key is wrong or was deleted.";
    /// `connectionRefused`
    ADDRESS_REFUSED FAILED "address_refused" "this address is not allowed to use the key" "Địa chỉ IP này không được phép dùng khóa: hãy thêm vào allowed_addresses." "This address may not use the key: add it to allowed_addresses.";
    /// `connectTimeout`
    SIGN_LATE FAILED "sign_late" "nobody signed in time" "Không nhận được sign kịp thời: hãy kết nối lại và gửi khóa ngay." "No sign came in time: connect again and send the key at once.";
    /// `Bandwidth`
    TOO_MANY_SESSIONS FAILED "too_many_sessions" "too many sessions" "Khóa đã dùng hết số phiên: hãy đóng phiên cũ hoặc tăng socket_sessions." "The key has no session left: close an old one or raise socket_sessions.";
    /// `Bandwidth`
    TOO_MANY_WRONG_KEYS FAILED "too_many_wrong_keys" "too many wrong keys" "Địa chỉ IP này gửi quá nhiều khóa sai: hãy thử lại sau." "Too many wrong keys came from this address: try again later.";
    /// `connectEnd`: nobody said `hello`.
    SILENT FAILED "silent" "no hello was heard" "Không nhận được hello trong thời hạn, phiên đã đóng." "No hello came in time: the session is closed.";
    /// `connectEnd`: a newer session of a hub's key.
    REPLACED FAILED "replaced" "a newer session took this place" "Một phiên mới của cùng khóa đã thay phiên này." "A newer session of the same key took this place.";
    /// `disconnectedServer`
    STOPPING FAILED "stopping" "the server is stopping" "Máy chủ đang dừng: hãy kết nối lại sau một phút." "The server is stopping: connect again in a minute.";
}

/// The body of `connected`, `connection` and `resumed`: up to where the story has been told.
#[derive(Clone, Serialize, Debug)]
pub(crate) struct Placed {
    #[serde(flatten)]
    pub said: Said,
    /// What to give to `resume` should nothing more be heard.
    pub number: String,
}

/// The body of `Bandwidth`: the key has as many sessions as it may have.
#[derive(Clone, Serialize, Debug)]
pub(crate) struct Bandwidth {
    #[serde(flatten)]
    pub said: Said,
    pub limit: u32,
    pub current: usize,
    /// Seconds.
    pub retry_after: u64,
}

/// The body of `connectEnd`.
#[derive(Clone, Serialize, Debug)]
pub(crate) struct ConnectEnd {
    #[serde(flatten)]
    pub said: Said,
    /// `silent` or `replaced`.
    pub reason: &'static str,
}

impl ConnectEnd {
    pub fn of(said: Said) -> Self {
        Self { said, reason: said.code }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_word_of_its_own_and_speaks_both_languages() {
        let codes: BTreeSet<&str> = ALL.iter().map(|said| said.code).collect();

        assert_eq!(codes.len(), ALL.len());
        for said in ALL {
            assert!(said.message_vi.ends_with('.') && said.message_en.ends_with('.'), "{}", said.code);
            assert_ne!(said.message_vi, said.message_en);
        }
    }
}
