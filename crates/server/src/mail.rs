//! Mail by SMTP: warnings to the people of a tenant.

use std::time::Duration;

use api::{Mail, Mailer, Pending};
use lettre::message::{Mailbox, header::ContentType};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::handover::with_cause;

/// How long a mail server may take for one step of a conversation.
const STEP_WITHIN: Duration = Duration::from_secs(15);
/// How long a whole conversation may take.
const WITHIN: Duration = Duration::from_secs(60);

/// Where mail goes out, and whom it is from.
#[derive(Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// As `lettre` reads it.
    url: String,
    from: Mailbox,
}

impl std::fmt::Debug for MailSettings {
    // The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailSettings").field("from", &self.from).finish_non_exhaustive()
    }
}

impl MailSettings {
    /// With a sender.
    pub fn new(url: String, from: Mailbox) -> Self {
        Self { url, from }
    }

    /// Reads `smtp://host`, `smtps://user:password@host:port` or `starttls://…`.
    pub fn parse_url(text: &str) -> Result<String, String> {
        let wrong = || {
            "this is no mail server: write it as smtps://user:password@mail.example.test, smtp:// or starttls://"
                .to_owned()
        };
        if text.contains(['?', '#']) {
            return Err(wrong());
        }
        // Without a path: it would be the name we greet with.
        let text = text.trim_end_matches('/');
        let url = match text.split_once("://") {
            Some(("smtp" | "smtps", rest)) if !rest.contains('/') => text.to_owned(),
            Some(("starttls", rest)) if !rest.contains('/') => format!("smtp://{rest}?tls=required"),
            _ => return Err(wrong()),
        };
        AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).map(|_| url).map_err(|_| wrong())
    }

    /// Reads `pbx@example.test` or `Tongdai <pbx@example.test>`.
    pub fn parse_from(text: &str) -> Result<Mailbox, String> {
        text.parse().map_err(|_| "this is no mail address: write it as pbx@example.test".to_owned())
    }
}

/// Sends by SMTP.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// Connects to nobody before there is mail.
    pub fn new(settings: MailSettings) -> Result<Self, String> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.url)
            .map_err(|error| format!("--smtp: {}", with_cause(&error)))?
            .timeout(Some(STEP_WITHIN))
            .build();
        Ok(Self { transport, from: settings.from })
    }

    fn message(&self, mail: Mail) -> Result<Message, String> {
        let mut message = Message::builder().from(self.from.clone()).subject(mail.subject);
        for to in &mail.to {
            message = message.to(to.parse().map_err(|_| format!("`{to}` is no mail address"))?);
        }
        message.header(ContentType::TEXT_PLAIN).body(mail.text).map_err(|error| with_cause(&error))
    }
}

impl Mailer for Smtp {
    fn send(&self, mail: Mail) -> Pending<'_, Result<(), String>> {
        Box::pin(async move {
            let message = self.message(mail)?;
            match tokio::time::timeout(WITHIN, self.transport.send(message)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(with_cause(&error)),
                Err(_) => Err("the mail server takes too long".into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    /// A mail server that takes one message, and what it was told.
    async fn taken(listener: TcpListener) -> Vec<String> {
        let (stream, _) = listener.accept().await.expect("a client");
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let mut told = Vec::new();
        writer.write_all(b"220 mail.example.test ESMTP\r\n").await.expect("written");
        let mut is_data = false;
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = match line.as_str() {
                "." if is_data => {
                    is_data = false;
                    "250 taken\r\n"
                }
                _ if is_data => "",
                "DATA" => {
                    is_data = true;
                    "354 go on\r\n"
                }
                "QUIT" => "221 bye\r\n",
                _ => "250 fine\r\n",
            };
            writer.write_all(answer.as_bytes()).await.expect("written");
            let is_last = line == "QUIT" || (line == "." && !is_data);
            told.push(line);
            if is_last {
                break;
            }
        }
        told
    }

    #[tokio::test]
    async fn a_mail_reaches_all_its_readers_with_its_accents() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("smtp://{}", listener.local_addr().expect("its address"));
        let server = tokio::spawn(taken(listener));
        let url = MailSettings::parse_url(&url).expect("a mail server");
        let from = MailSettings::parse_from("Tongdai <pbx@example.test>").expect("an address");
        let smtp = Smtp::new(MailSettings::new(url, from)).expect("a mailer");
        let mail = Mail {
            to: vec!["owner@example.test".into(), "second@example.test".into()],
            subject: "Webhook 7 không nhận được tin".into(),
            text: "Nothing has arrived.\n".into(),
        };

        smtp.send(mail).await.expect("it is taken");

        let told = server.await.expect("a conversation").join("\n");
        assert!(told.contains("MAIL FROM:<pbx@example.test>"), "{told}");
        assert!(
            told.contains("RCPT TO:<owner@example.test>") && told.contains("RCPT TO:<second@example.test>"),
            "{told}"
        );
        assert!(told.contains("Subject: ") && told.contains("Nothing has arrived."), "{told}");
    }

    #[tokio::test]
    async fn a_mail_server_that_is_not_there_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("smtp://{}", listener.local_addr().expect("its address"));
        drop(listener);
        let from = MailSettings::parse_from("pbx@example.test").expect("an address");
        let smtp = Smtp::new(MailSettings::new(url, from)).expect("a mailer");

        let sent =
            smtp.send(Mail { to: vec!["owner@example.test".into()], subject: "s".into(), text: "t".into() }).await;

        assert!(sent.is_err());
    }

    #[test]
    fn a_mail_server_is_written_as_a_url() {
        for right in [
            "smtp://mail.example.test",
            "smtp://127.0.0.1:2525/",
            "smtps://user:pa%20ss@mail.example.test:465",
            "starttls://user:pass@mail.example.test",
        ] {
            assert!(MailSettings::parse_url(right).is_ok(), "{right}");
        }
        for wrong in
            ["mail.example.test", "https://mail.example.test", "smtp://", "smtp://host?tls=no", "smtp://host/x"]
        {
            assert!(MailSettings::parse_url(wrong).is_err(), "{wrong}");
        }
    }
}
