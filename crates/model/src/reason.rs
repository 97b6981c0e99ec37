//! Why a call, or an attempt at one, ended. One catalogue: code, SIP status, sentence, remedy.

use serde::{Deserialize, Serialize};

use crate::Language;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal $sip:literal $en:literal $vi:literal $remedy_en:literal $remedy_vi:literal;)*) => {
        /// Why a call ended.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Reason {
            /// Every reason there is, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word for machines: `no_answer`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The SIP status that says this to a caller who has not been answered.
            pub fn sip(self) -> u16 {
                match self { $(Self::$name => $sip),* }
            }

            /// What happened, in one sentence.
            pub fn sentence(self, language: Language) -> &'static str {
                match (self, language) { $((Self::$name, Language::En) => $en, (Self::$name, Language::Vi) => $vi),* }
            }

            /// What can be done about it; empty where nothing needs to be.
            pub fn remedy(self, language: Language) -> &'static str {
                match (self, language) { $((Self::$name, Language::En) => $remedy_en, (Self::$name, Language::Vi) => $remedy_vi),* }
            }
        }
    };
}

reasons! {
    /// A party hung up after the conversation.
    HungUp "hung_up" 200 "A party hung up." "Một bên đã gác máy." "" "";
    /// The caller gave up before an answer.
    Cancelled "cancelled" 487 "The caller gave up before anyone answered." "Người gọi gác máy trước khi có người trả lời." "" "";
    /// The called party is busy.
    Busy "busy" 486 "The called party is busy." "Người được gọi đang bận." "Call again later." "Hãy gọi lại sau.";
    /// It rang, and nobody picked up.
    NoAnswer "no_answer" 480 "It rang and nobody picked up." "Có đổ chuông nhưng không ai nhấc máy." "Call again later, or lengthen ring_seconds." "Hãy gọi lại sau hoặc tăng ring_seconds.";
    /// The called party is not to be reached now: refused so, or given up, and nothing had rung.
    Unavailable "unavailable" 480 "The called party cannot be reached now." "Hiện không liên lạc được với người được gọi." "Call again later." "Hãy gọi lại sau.";
    /// The called party refused.
    Declined "declined" 603 "The called party refused the call." "Người được gọi từ chối cuộc gọi." "" "";
    /// No phone is signed in as the called extension.
    Offline "offline" 480 "No phone is signed in as this extension." "Chưa có điện thoại nào đăng ký máy nhánh này." "Sign a phone in as the extension." "Hãy đăng ký điện thoại vào máy nhánh.";
    /// The phone or carrier gave no answer of any kind.
    Unreachable "unreachable" 408 "The phone or carrier did not respond at all." "Điện thoại hoặc nhà mạng không phản hồi." "Check its network and address." "Hãy kiểm tra mạng và địa chỉ.";
    /// Nothing in the tenant has this number.
    UnknownTarget "unknown_target" 404 "Nothing here has this number." "Không có máy nào mang số này." "Check the number dialled." "Hãy kiểm tra số đã gọi.";
    /// The number does not exist, the carrier says.
    NoSuchNumber "no_such_number" 404 "The carrier says that the number does not exist." "Nhà mạng báo số không tồn tại." "Check the number dialled." "Hãy kiểm tra số đã gọi.";
    /// No outbound rule takes the number.
    NoRoute "no_route" 404 "No outbound rule takes this number." "Không có quy tắc gọi ra nào nhận số này." "Add a rule to `outbound`." "Hãy thêm quy tắc vào `outbound`.";
    /// The number's route needs a feature whose settings are stored, and which does not take calls.
    RouteUnavailable "route_unavailable" 480 "The route of this number does not take calls." "Tuyến của số này không nhận cuộc gọi." "Send the number to an extension." "Hãy chuyển số đến một máy nhánh.";
    /// Who calls may not call this.
    NotAllowed "not_allowed" 403 "This call is not allowed." "Cuộc gọi này không được phép." "Ask the tenant's owner." "Hãy hỏi quản trị viên.";
    /// All lines of the phone are taken.
    LinesTaken "lines_taken" 486 "All lines of the phone are taken." "Tất cả các đường dây của máy nhánh đang bận." "Raise `lines` of the extension." "Hãy tăng `lines` của máy nhánh.";
    /// A limit of the tenant, a trunk or the server is reached.
    Limit "limit" 503 "A limit on calls is reached." "Đã đạt giới hạn cuộc gọi." "Wait, or raise the limit." "Hãy chờ hoặc tăng giới hạn.";
    /// The two sides have no codec in common, or the description of sound cannot be used.
    NoCommonCodec "no_common_codec" 488 "The two sides have no way of sound in common." "Hai bên không có bộ mã âm thanh chung." "Allow PCMA or PCMU on both." "Hãy bật PCMA hoặc PCMU ở cả hai bên.";
    /// No address for sound is left.
    NoSoundAddress "no_sound_address" 503 "The server has no free address for sound." "Máy chủ hết cổng âm thanh." "Widen --rtp-ports." "Hãy mở rộng --rtp-ports.";
    /// The carrier or phone failed or refused with another status.
    Failed "failed" 500 "The other side could not take the call." "Phía bên kia không nhận được cuộc gọi." "Look at the SIP status in the record." "Hãy xem mã SIP trong bản ghi.";
    /// An API client ended the call.
    Commanded "commanded" 200 "The call was ended by order." "Cuộc gọi được kết thúc theo lệnh." "" "";
    /// It lasted as long as any call may.
    TooLong "too_long" 200 "The call reached its longest allowed time." "Cuộc gọi đạt thời lượng tối đa." "Raise max_call_seconds." "Hãy tăng max_call_seconds.";
    /// A leg that should send sound was silent for too long.
    Silent "silent" 408 "No sound came from one side for too long." "Một bên không gửi âm thanh quá lâu." "Check that side's network and firewall; silence_seconds sets how long is too long." "Hãy kiểm tra mạng và tường lửa của bên đó; silence_seconds là thời gian cho phép.";
    /// The called phone asked for the call to go elsewhere.
    Redirected "redirected" 302 "The phone passed the call on." "Máy đã chuyển cuộc gọi đi nơi khác." "" "";
    /// A call that was passed on too often goes no further.
    Diverted "diverted" 482 "The call was passed on too often." "Cuộc gọi bị chuyển tiếp quá nhiều lần." "Look for numbers that are forwarded to each other." "Hãy kiểm tra các số chuyển tiếp vòng lẫn nhau.";
    /// No trunk of the route takes calls for now.
    TrunksDown "trunks_down" 503 "No carrier of this route takes calls now." "Hiện không nhà mạng nào của tuyến này nhận cuộc gọi." "Look at the trunks' health." "Hãy xem tình trạng các trung kế.";
    /// A party was given to somebody else; whoever gave it away is out of the call.
    Transferred "transferred" 200 "The call was transferred." "Cuộc gọi đã được chuyển." "" "";
    /// A consultation became a part of the customer's call.
    Merged "merged" 200 "The consultation became a part of the customer's call." "Cuộc tham khảo đã nhập vào cuộc gọi của khách hàng." "" "";
    /// Another member of the group took the call.
    AnsweredElsewhere "answered_elsewhere" 487 "Somebody else took the call." "Người khác đã nhận cuộc gọi." "" "";
    /// The caller heard to its end what the call led to: a prompt, or a mailbox.
    Served "served" 200 "The caller was told everything there was to tell." "Người gọi đã được nghe hết thông báo." "" "";
    /// The called extension takes no calls.
    DoNotDisturb "do_not_disturb" 480 "The extension takes no calls now." "Máy nhánh đang bật chế độ không làm phiền." "Switch do_not_disturb off, or dial *79 on its phone." "Hãy tắt do_not_disturb hoặc bấm *79 trên máy đó.";
    /// As many callers wait as may.
    QueueFull "queue_full" 486 "As many callers are waiting as may." "Hàng chờ đã đầy." "Raise max_waiting of the queue, or give it an overflow." "Hãy tăng max_waiting của hàng chờ hoặc đặt overflow.";
    /// No agent is signed in to the queue.
    NoAgents "no_agents" 480 "No agent is signed in to the queue." "Không có nhân viên nào đăng nhập hàng chờ." "Sign agents in, or give the queue an overflow." "Hãy cho nhân viên đăng nhập hoặc đặt overflow.";
    /// The caller waited as long as the queue allows.
    WaitedTooLong "waited_too_long" 480 "The caller waited as long as the queue allows." "Người gọi đã chờ hết thời gian cho phép của hàng chờ." "Raise max_wait_seconds, or give the queue an overflow." "Hãy tăng max_wait_seconds hoặc đặt overflow.";
    /// The caller of a menu chose nothing that leads anywhere.
    NoChoice "no_choice" 480 "The caller chose nothing in the menu." "Người gọi không chọn mục nào trong menu." "Give the menu a default." "Hãy đặt default cho menu.";
    /// A tenant may not call numbers of this kind.
    DestinationClosed "destination_closed" 403 "Numbers of this kind may not be dialled." "Không được phép gọi đến loại số này." "Add the country code, prefix or class to limits.destinations." "Hãy thêm mã nước, đầu số hoặc loại số vào limits.destinations.";
    /// The minutes of the day are used up.
    MinutesUsedUp "minutes_used_up" 403 "The minutes of calls for today are used up." "Đã dùng hết số phút gọi trong ngày." "Raise limits.daily_minutes, or wait until midnight." "Hãy tăng limits.daily_minutes hoặc chờ đến nửa đêm.";
    /// The mailbox takes no more messages.
    MailboxFull "mailbox_full" 480 "The mailbox is full." "Hộp thư thoại đã đầy." "Delete messages, or raise max_messages." "Hãy xóa bớt lời nhắn hoặc tăng max_messages.";
    /// Nobody took a parked call.
    ParkedTooLong "parked_too_long" 480 "Nobody took the parked call." "Không ai nhận cuộc gọi đang chờ." "Take parked calls sooner, or raise parking.seconds." "Hãy nhận cuộc gọi sớm hơn hoặc tăng parking.seconds.";
    /// There is nothing to be picked up, taken or listened to.
    NothingThere "nothing_there" 404 "There is no such call to take or listen to." "Không có cuộc gọi nào như vậy để nhận hoặc nghe." "" "";
    /// What a code ordered was done.
    FeatureDone "feature_done" 200 "What the code ordered was done." "Đã thực hiện lệnh." "" "";
    /// The server stops.
    Drained "drained" 503 "The server is stopping." "Máy chủ đang dừng." "Call again in a minute." "Hãy gọi lại sau một phút.";
    /// The disk or database does not take records; no new calls.
    StorageStalled "storage_stalled" 503 "Records cannot be stored now, so no call is taken." "Hiện không lưu được bản ghi nên không nhận cuộc gọi." "Look at the disk and the database." "Hãy kiểm tra đĩa và cơ sở dữ liệu.";
    /// The server was killed in the middle of the call.
    SystemCrash "system_crash" 500 "The server stopped in the middle of the call." "Máy chủ dừng đột ngột giữa cuộc gọi." "" "";
    /// A bug of ours.
    Internal "internal" 500 "An error inside the server ended the call." "Lỗi bên trong máy chủ đã kết thúc cuộc gọi." "Report it with the callid." "Hãy báo lỗi kèm callid.";
}

impl Reason {
    /// What a final status from a phone or a carrier means for the call.
    pub fn of_refusal(status: u16) -> Self {
        match status {
            486 | 600 => Self::Busy,
            480 => Self::NoAnswer,
            408 => Self::Unreachable,
            487 => Self::Cancelled,
            403 => Self::NotAllowed,
            404 | 410 | 484 | 604 => Self::NoSuchNumber,
            488 | 606 => Self::NoCommonCodec,
            603 => Self::Declined,
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_survive_json() {
        for (at, reason) in Reason::ALL.iter().enumerate() {
            assert!(Reason::ALL[..at].iter().all(|other| other.code() != reason.code()), "{}", reason.code());
            let json = serde_json::to_string(reason).expect("a reason prints");
            assert_eq!(serde_json::from_str::<Reason>(&json).expect("and parses"), *reason);
            assert_eq!(json, format!("\"{}\"", reason.code()));
        }
    }
}
