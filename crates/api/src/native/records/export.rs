//! Records as a stream: CSV (RFC 4180) or a line of JSON each.
//!
//! A piece at a time is read, written and sent, and the next is read when the client has taken it: memory is bounded, and
//! a slow client holds nothing of the database.

use std::borrow::Cow;
use std::io;

use async_stream::try_stream;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use jiff::tz::TimeZone;
use store::{RecordRow, RecordStream};

use crate::native::views::RecordView;

/// How records are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Rows of cells.
    Csv,
    /// A line of JSON each.
    Lines,
}

/// The whole stream as a body.
pub(super) fn body(mut records: RecordStream, form: Form, zone: TimeZone) -> Response {
    let pieces = try_stream! {
        if form == Form::Csv {
            yield csv_of(|writer| writer.write_record(COLUMNS))?;
        }
        while let Some(rows) = records.next().await.map_err(failed)? {
            yield match form {
                Form::Csv => csv_of(|writer| rows.iter().try_for_each(|row| writer.write_record(cells(row, &zone))))?,
                Form::Lines => lines_of(&rows, &zone)?,
            };
        }
    };
    let mut response = Response::new(Body::from_stream(typed(pieces)));
    let headers = response.headers_mut();
    let (kind, file) = match form {
        Form::Csv => ("text/csv; charset=utf-8; header=present", "attachment; filename=\"records.csv\""),
        Form::Lines => ("application/x-ndjson", "attachment; filename=\"records.ndjson\""),
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(file));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn typed<S: futures_util::Stream<Item = io::Result<Bytes>>>(stream: S) -> S {
    stream
}

// The client sees a body that breaks off, never one that seems whole.
fn failed(error: store::StoreError) -> io::Error {
    tracing::error!(error = &error as &dyn std::error::Error, "an export of records breaks off");
    io::Error::other(error)
}

fn csv_of(write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>) -> io::Result<Bytes> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    write(&mut writer)?;
    Ok(writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?.into())
}

fn lines_of(rows: &[RecordRow], zone: &TimeZone) -> io::Result<Bytes> {
    let mut lines = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut lines, &RecordView::of(&row.record, zone))?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}

const COLUMNS: [&str; 22] = [
    "callid",
    "started_at",
    "ringing_at",
    "opened_at",
    "answered_at",
    "ended_at",
    "direction",
    "origin",
    "from",
    "to",
    "did",
    "extension",
    "customer",
    "status",
    "disposition",
    "reason",
    "sip",
    "ended_by",
    "duration_seconds",
    "bill_seconds",
    "open_seconds",
    "recordings",
];

fn cells(row: &RecordRow, zone: &TimeZone) -> [String; COLUMNS.len()] {
    let view = RecordView::of(&row.record, zone);
    let or_empty = |text: Option<String>| text.unwrap_or_default();
    let seconds = |seconds: Option<i64>| seconds.map(|seconds| seconds.to_string()).unwrap_or_default();
    let recordings: Vec<&str> = view.recordings.iter().map(|recording| recording.id.as_str()).collect();
    [
        view.callid,
        view.started_at,
        or_empty(view.ringing_at),
        or_empty(view.opened_at),
        or_empty(view.answered_at),
        or_empty(view.ended_at),
        view.direction.to_owned(),
        view.origin.to_owned(),
        view.from,
        view.to,
        or_empty(view.did),
        or_empty(view.extension),
        view.customer,
        view.status.to_owned(),
        view.disposition.to_owned(),
        view.reason.unwrap_or_default().to_owned(),
        view.sip.map(|sip| sip.to_string()).unwrap_or_default(),
        view.ended_by.unwrap_or_default().to_owned(),
        seconds(view.duration_seconds),
        seconds(view.bill_seconds),
        seconds(view.open_seconds),
        recordings.join(" "),
    ]
    .map(|cell| harmless(&cell).into_owned())
}

/// A cell that no spreadsheet takes for a formula. A caller may show any text as a number. `+84900000001` becomes
/// `84900000001`; anything else that begins like a formula gets an apostrophe before it.
fn harmless(cell: &str) -> Cow<'_, str> {
    let Some(first) = cell.chars().next() else { return Cow::Borrowed(cell) };
    if let Some(digits) = cell.strip_prefix('+')
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Cow::Borrowed(digits);
    }
    match first {
        '=' | '+' | '-' | '@' | '\t' | '\r' => Cow::Owned(format!("'{cell}")),
        _ => Cow::Borrowed(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (cell, expected) in [
            ("=HYPERLINK(\"http://127.0.0.1\")", "'=HYPERLINK(\"http://127.0.0.1\")"),
            ("+84900000001", "84900000001"),
            ("+1+1", "'+1+1"),
            ("+", "'+"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("anonymous", "anonymous"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell), expected);
        }
    }

    #[test]
    fn cells_with_commas_and_quotes_are_quoted_and_rows_end_as_the_standard_has_it() {
        let written = csv_of(|writer| writer.write_record(["a,b", "c\"d", "e"])).expect("it is written");

        assert_eq!(written, "\"a,b\",\"c\"\"d\",e\r\n");
    }
}
