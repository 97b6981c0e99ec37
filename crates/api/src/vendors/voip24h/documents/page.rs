//! The documents page as HTML, in one language. Needs nothing but itself: no script, no picture, no style from elsewhere.

use std::fmt::Write;

use model::Language;
use serde_json::Value;

use super::endpoints::{Both, ENDPOINTS};
use super::{Document, Fact, Visitor};

/// The whole page.
pub(super) fn page(document: &Document) -> String {
    let t = |both: Both| of(both, document.language);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n",
        word(document.language),
        t(both("API tổng đài", "Call center API")),
        include_str!("page.css"),
    );
    head(&mut html, document);
    facts(&mut html, t(both("Địa chỉ", "Addresses")), &document.addresses, document.language);
    endpoints(&mut html, document);
    facts(&mut html, t(both("Giới hạn và thiết lập", "Limits and settings")), &document.limits, document.language);
    hooks(&mut html, document);
    samples(&mut html, document);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// A page that says why there is no other.
pub(super) fn refusal(language: Language, sentence: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<title>404</title>\n<style>\n{}</style>\n\
         </head>\n<body>\n<main>\n<h1>404</h1>\n<p>{}</p>\n</main>\n</body>\n</html>\n",
        word(language),
        include_str!("page.css"),
        escaped(sentence),
    )
}

fn head(html: &mut String, document: &Document) {
    let t = |both: Both| of(both, document.language);
    let (other, name) = match document.language {
        Language::Vi => (Language::En, "English"),
        Language::En => (Language::Vi, "Tiếng Việt"),
    };
    // Forms without an address go to the page's own, so that the key stands nowhere in it.
    let _ = write!(
        html,
        "<header>\n<h1>{}</h1>\n<form method=\"post\" class=\"language\"><button name=\"lang\" value=\"{}\">{name}\
         </button></form>\n</header>\n<p>{}</p>\n",
        t(both("API tổng đài", "Call center API")),
        word(other),
        t(both(
            "Gọi bằng GET với tham số trên địa chỉ, hoặc POST với JSON, form hay multipart. Tên tham số không phân biệt \
             hoa thường. Lỗi nghiệp vụ trả về HTTP 200, status khác 200 và message nói lý do.",
            "Ask by GET with a query, or by POST with JSON, form or multipart. Names are read without case. Business \
             failures answer HTTP 200 with a status other than 200, and message says why.",
        )),
    );
    let _ = write!(
        html,
        "<table class=\"facts\">\n<tr><th>voip</th><td><code>{}</code></td></tr>\n\
         <tr><th>secret</th><td><code>{}</code></td></tr>\n</table>\n",
        escaped(&document.voip_shown),
        escaped(document.secret_shown()),
    );
    match document.visitor {
        Visitor::SignedIn => {}
        Visitor::Stranger | Visitor::WrongSecret => {
            if document.visitor == Visitor::WrongSecret {
                let wrong = t(both("Khóa bí mật không đúng.", "The secret is wrong."));
                let _ = writeln!(html, "<p class=\"wrong\" role=\"alert\">{wrong}</p>");
            }
            let _ = write!(
                html,
                "<form method=\"post\">\n<label>{} <input type=\"password\" name=\"secret\" autocomplete=\"off\" \
                 required></label>\n<button name=\"lang\" value=\"{}\">{}</button>\n</form>\n",
                t(both(
                    "Nhập khóa bí mật để xem khóa, webhook và ví dụ chạy được ngay:",
                    "Give the secret to see the key, the hooks, and samples that run as they are:"
                )),
                word(document.language),
                t(both("Xem", "Show")),
            );
        }
    }
}

fn facts(html: &mut String, title: &str, facts: &[Fact], language: Language) {
    let _ = write!(html, "<h2>{title}</h2>\n<table class=\"facts\">\n");
    for fact in facts {
        let value = match &fact.value {
            Value::String(text) => escaped(text),
            Value::Bool(true) => of(both("có", "yes"), language).to_owned(),
            Value::Bool(false) => of(both("không", "no"), language).to_owned(),
            other => escaped(&other.to_string()),
        };
        let _ = writeln!(html, "<tr><th>{}</th><td><code>{value}</code></td></tr>", of(fact.name, language));
    }
    html.push_str("</table>\n");
}

fn endpoints(html: &mut String, document: &Document) {
    let language = document.language;
    let _ = writeln!(html, "<h2>{}</h2>", of(both("Đường dẫn", "Paths"), language));
    let (required, optional) = (of(both("bắt buộc", "required"), language), of(both("tùy chọn", "optional"), language));
    for endpoint in ENDPOINTS {
        let _ = write!(
            html,
            "<section>\n<h3><code>{}</code> <small>{}</small></h3>\n<p>{}</p>\n<table>\n",
            endpoint.path,
            endpoint.methods.join(", "),
            escaped(of(endpoint.about, language)),
        );
        for parameter in endpoint.parameters {
            let _ = writeln!(
                html,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                parameter.name,
                if parameter.required { required } else { optional },
                escaped(of(parameter.about, language)),
            );
        }
        html.push_str("</table>\n");
        if let Some(answer) = endpoint.answer(&document.base) {
            let title = of(both("Trả lời", "Answer"), language);
            let _ = write!(
                html,
                "<details>\n<summary>{title}</summary>\n<pre><code>{}</code></pre>\n</details>\n",
                escaped(&answer)
            );
        }
        html.push_str("</section>\n");
    }
}

fn hooks(html: &mut String, document: &Document) {
    let t = |both: Both| of(both, document.language);
    html.push_str("<h2>Webhook</h2>\n");
    if document.hooks.is_empty() {
        let _ = writeln!(html, "<p>{}</p>", t(both("Chưa có webhook nào.", "There are no hooks.")));
        return;
    }
    let _ = writeln!(
        html,
        "<table class=\"hooks\">\n<tr><th>{}</th><th>{}</th><th>URL</th></tr>",
        t(both("loại", "kind")),
        t(both("cách gửi", "method"))
    );
    for hook in &document.hooks {
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
            escaped(&hook.kind),
            escaped(&hook.method),
            escaped(&hook.url),
        );
    }
    html.push_str("</table>\n");
}

fn samples(html: &mut String, document: &Document) {
    let t = |both: Both| of(both, document.language);
    let _ = write!(
        html,
        "<h2>{}</h2>\n<p>{}</p>\n",
        t(both("Ví dụ", "Samples")),
        t(both(
            "Bấm vào một ví dụ để chọn toàn bộ rồi chép.",
            "A click into a sample selects all of it, to be copied."
        ))
    );
    for (at, sample) in document.samples.iter().enumerate() {
        let _ = write!(
            html,
            "<details{}>\n<summary>{} <small>{}</small></summary>\n<pre><code>{}</code></pre>\n</details>\n",
            if at == 0 { " open" } else { "" },
            escaped(sample.name),
            escaped(sample.file),
            escaped(&sample.text),
        );
    }
}

const fn both(vi: &'static str, en: &'static str) -> Both {
    Both { vi, en }
}

fn of(both: Both, language: Language) -> &'static str {
    match language {
        Language::Vi => both.vi,
        Language::En => both.en,
    }
}

fn word(language: Language) -> &'static str {
    match language {
        Language::Vi => "vi",
        Language::En => "en",
    }
}

/// Text as it may stand anywhere in HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
