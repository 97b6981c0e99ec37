//! Every path of the API with its parameters, as the documents page lists them.

use serde::Serialize;

/// The same in both languages.
#[derive(Clone, Copy, Serialize, Debug)]
pub(super) struct Both {
    pub vi: &'static str,
    pub en: &'static str,
}

/// A path.
#[derive(Serialize, Debug)]
pub(super) struct Endpoint {
    pub path: &'static str,
    pub methods: &'static [&'static str],
    pub about: Both,
    pub parameters: &'static [Parameter],
    /// An example of the contract with its answer, as the tests replay it. None: it is a page.
    #[serde(skip)]
    pub example: Option<&'static str>,
}

impl Endpoint {
    /// What a request is answered, where links begin with `base`.
    pub fn answer(&self, base: &str) -> Option<String> {
        let example: serde_json::Value = serde_json::from_str(self.example?).ok()?;
        let answer = serde_json::to_string_pretty(&example["answer"]).ok()?;
        Some(answer.replace("http://SERVER", base))
    }
}

/// A parameter; its name is read without case.
#[derive(Serialize, Debug)]
pub(super) struct Parameter {
    pub name: &'static str,
    pub required: bool,
    pub about: Both,
}

const fn both(vi: &'static str, en: &'static str) -> Both {
    Both { vi, en }
}

const fn needs(name: &'static str, vi: &'static str, en: &'static str) -> Parameter {
    Parameter { name, required: true, about: both(vi, en) }
}

const fn takes(name: &'static str, vi: &'static str, en: &'static str) -> Parameter {
    Parameter { name, required: false, about: both(vi, en) }
}

const ORDERED: &[&str] = &["GET", "POST"];
const VOIP: Parameter = needs("voip", "Khóa công khai.", "The public key.");
const SECRET: Parameter = needs("secret", "Khóa bí mật.", "The secret key.");
const SIP: Parameter = needs("sip", "Số máy nhánh, ví dụ 101.", "The extension, as 101.");
const PHONE: Parameter = needs(
    "phone",
    "Số điện thoại của khách: 0…, 84…, +84… hoặc 0084….",
    "The customer's number: 0…, 84…, +84… or 0084….",
);
const CALLID: Parameter = takes(
    "callid",
    "Chọn đúng một cuộc gọi; khi đó không cần phone, nếu có thì phải khớp.",
    "Picks one call; then phone is not needed, and must fit if it is there.",
);
const LENGTH: Parameter = takes("length", "Số dòng một trang, 1–100 (mặc định 25).", "Rows a page, 1–100 (25).");
const START: Parameter =
    takes("start", "Chép nguyên từ next hoặc prev của trang trước.", "Copied from next or prev of the page before.");

/// In the order of the page.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/dial",
        methods: ORDERED,
        about: both(
            "Gọi ra: đổ chuông máy nhánh trước, nhấc máy thì gọi khách. Trả lời khi máy nhánh đổ chuông, nhấc máy hoặc từ \
             chối. call_status: Success, Busy, Offline hoặc Failed. /calling là tên khác của đường dẫn này.",
            "Click to call: the extension rings first, and the customer is dialled once it is picked up. Answers when the \
             extension's phone rings, is picked up or refuses. call_status: Success, Busy, Offline or Failed. /calling is \
             another name of this path.",
        ),
        parameters: &[VOIP, SECRET, SIP, PHONE],
        example: Some(include_str!("../fixtures/dial_success.json")),
    },
    Endpoint {
        path: "/dial/transfer",
        methods: ORDERED,
        about: both(
            "Chuyển cuộc gọi đang đàm thoại của sip với phone sang sip_transfer.",
            "Gives the customer who talks with sip to sip_transfer.",
        ),
        parameters: &[
            VOIP,
            SECRET,
            SIP,
            needs(
                "sip_transfer",
                "Máy nhánh, nhóm hoặc số điện thoại nhận cuộc gọi.",
                "The extension, group or number that is to take the call.",
            ),
            PHONE,
            CALLID,
            takes(
                "mode",
                "blind (mặc định) hoặc attended: hỏi người nhận trước, gác máy để hoàn tất.",
                "blind (default) or attended: the target is asked first, hanging up completes it.",
            ),
        ],
        example: Some(include_str!("../fixtures/transfer_success.json")),
    },
    Endpoint {
        path: "/dial/hangup",
        methods: ORDERED,
        about: both("Kết thúc cuộc gọi mới nhất của sip với phone.", "Ends the newest live call of sip with phone."),
        parameters: &[VOIP, SECRET, SIP, PHONE, CALLID],
        example: Some(include_str!("../fixtures/hangup_success.json")),
    },
    Endpoint {
        path: "/dial/history",
        methods: ORDERED,
        about: both(
            "Các cuộc gọi đã kết thúc trong 3600 giây gần nhất, mới nhất trước. Nhận thêm các bộ lọc của /dial/search.",
            "Calls that ended in the last 3600 seconds, newest first. Takes the filters of /dial/search too.",
        ),
        parameters: &[VOIP, SECRET, START, LENGTH],
        example: Some(include_str!("../fixtures/search_answered.json")),
    },
    Endpoint {
        path: "/dial/searching",
        methods: ORDERED,
        about: both("Một cuộc gọi theo callid.", "One call by its callid."),
        parameters: &[
            VOIP,
            SECRET,
            needs("callid", "Mã cuộc gọi, ví dụ 1700000000.101.", "The call's id, as 1700000000.101."),
        ],
        example: Some(include_str!("../fixtures/searching_answered.json")),
    },
    Endpoint {
        path: "/dial/search",
        methods: ORDERED,
        about: both(
            "Tìm cuộc gọi theo thời gian bắt đầu, mới nhất trước. Có callid thì không cần khoảng thời gian.",
            "Calls by when they began, newest first. With callid no range is needed.",
        ),
        parameters: &[
            VOIP,
            SECRET,
            needs("date_start", "Từ giây này (Unix timestamp).", "From this second on (unix seconds)."),
            needs("date_end", "Đến hết giây này (Unix timestamp).", "Up to this second (unix seconds)."),
            takes("search", "Số khách, máy nhánh hoặc đầu số.", "Customer, extension or your number."),
            takes("source", "Số gọi: khách hoặc máy nhánh.", "Who called: a number or an extension."),
            takes("destination", "Số được gọi: khách hoặc máy nhánh.", "Who was called: a number or an extension."),
            takes(
                "status",
                "MISSED, ANSWERED, NO ANSWER, FAILED hoặc BUSY.",
                "MISSED, ANSWERED, NO ANSWER, FAILED or BUSY.",
            ),
            takes("callid", "Mã cuộc gọi.", "The call's id."),
            takes("type", "inbound, outbound hoặc local.", "inbound, outbound or local."),
            START,
            LENGTH,
        ],
        example: Some(include_str!("../fixtures/search_answered.json")),
    },
    Endpoint {
        path: "/play",
        methods: ORDERED,
        about: both("Đường dẫn nghe ghi âm của một cuộc gọi.", "The link that plays the recording of a call."),
        parameters: &[
            VOIP,
            takes(
                "secret",
                "Cần khi khóa được đặt là phải có khóa bí mật.",
                "Needed where the key is set to need its secret.",
            ),
            needs("callid", "Mã cuộc gọi.", "The call's id."),
        ],
        example: Some(include_str!("../fixtures/play_found.json")),
    },
    Endpoint {
        path: "/documents",
        methods: ORDERED,
        about: both("Trang này.", "This page."),
        parameters: &[
            VOIP,
            takes("secret", "Để xem khóa và ví dụ đầy đủ.", "Shows the key, and samples that run as they are."),
            takes("lang", "vi hoặc en.", "vi or en."),
            takes("format", "json: cho máy đọc.", "json: for machines."),
        ],
        example: None,
    },
];
