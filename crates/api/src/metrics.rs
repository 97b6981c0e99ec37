//! What `/metrics` shows. The server sets the gauges and counts; the registry prints them.

use std::sync::Mutex;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry};

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $name:ident: $kind:ty,)*) => {
        /// Numbers of the whole server. Clones of a metric count together.
        pub struct Metrics {
            $($(#[doc = $doc])+ pub $name: $kind,)*
            registry: Mutex<Registry>,
        }

        impl Default for Metrics {
            fn default() -> Self {
                let mut registry = Registry::with_prefix("tongdai");
                $(
                    let $name = <$kind>::default();
                    let help = concat!($($doc),+).trim().trim_end_matches('.');
                    registry.register(stringify!($name), help, $name.clone());
                )*
                Self { $($name,)* registry: Mutex::new(registry) }
            }
        }
    };
}

metrics! {
    /// Calls that are live.
    calls_live: Gauge,
    /// Legs that are live.
    legs_live: Gauge,
    /// Calls accepted since the start.
    calls_started: Counter,
    /// Phones that are signed in.
    registrations: Gauge,
    /// SIP transactions that are open.
    sip_transactions: Gauge,
    /// SIP dialogs that are open.
    sip_dialogs: Gauge,
    /// SIP connections (TCP) that are open.
    sip_connections: Gauge,
    /// SIP messages received.
    sip_received: Counter,
    /// SIP messages sent.
    sip_sent: Counter,
    /// SIP messages that could not be sent.
    sip_unsent: Counter,
    /// SIP messages dropped at the door: limits, bans, what is no SIP.
    sip_dropped: Counter,
    /// SIP messages dropped because their source sent too many.
    sip_over_rate: Counter,
    /// SIP messages dropped because their source is banned.
    sip_from_banned: Counter,
    /// SIP requests that were asked to come back later (503), because too many waited.
    sip_put_off: Counter,
    /// Wrong passwords in SIP.
    sip_wrong_sign_ins: Counter,
    /// Sources that are banned.
    bans_live: Gauge,
    /// Bans made since the start.
    bans_made: Counter,
    /// SIP messages answered at the door without the engine.
    sip_answered_at_door: Counter,
    /// Sessions of sound that are open.
    sound_sessions: Gauge,
    /// Addresses for sound that are ready to be used.
    sound_addresses_free: Gauge,
    /// RTP packets received.
    rtp_received: Counter,
    /// RTP packets sent.
    rtp_sent: Counter,
    /// RTP packets that came from elsewhere than their party, or were no RTP.
    rtp_refused: Counter,
    /// Recordings being written.
    recordings_live: Gauge,
    /// Milliseconds of recordings lost to a slow disk.
    recording_gap_milliseconds: Counter,
    /// Bytes that are free where recordings are kept.
    recordings_free_bytes: Gauge,
    /// Whether there is little room where recordings are kept: 1 below the mark.
    recordings_room_low: Gauge,
    /// Things told that wait for the store's writer.
    writer_queue: Gauge,
    /// Whether the writer is stalled: 1 while records cannot be stored.
    writer_stalled: Gauge,
    /// Inputs that wait for the engine.
    engine_queue: Gauge,
    /// HTTP requests answered.
    http_requests: Family<HttpLabels, Counter>,
    /// Socket.IO sessions that are open.
    socket_sessions: Gauge,
    /// Events handed to Socket.IO sessions.
    socket_events: Counter,
    /// Times a Socket.IO session fell behind and read on from its position.
    socket_behind: Counter,
    /// Event streams (/v1/events) that are open.
    event_streams: Gauge,
    /// Messages that reached their hook.
    hook_delivered: Counter,
    /// Attempts to tell a hook something that failed.
    hook_attempts_failed: Counter,
    /// Messages to hooks that were given up.
    hook_given_up: Counter,
    /// Hooks that nothing has reached for an hour.
    hooks_failing: Gauge,
}

/// How an HTTP request ended.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct HttpLabels {
    /// The route as it is written in the code; never what a client sent.
    pub route: String,
    /// The HTTP status.
    pub status: u16,
}

impl Metrics {
    /// Adds a metric that only the server knows.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.lock().register(name, help, metric);
    }

    /// The whole in OpenMetrics text.
    pub fn print(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.lock());
        text
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_printed() {
        let metrics = Metrics::default();
        let own: Gauge = Gauge::default();
        metrics.register("own", "Something of the server's", own.clone());

        metrics.calls_live.set(3);
        metrics.sip_received.inc();
        own.set(7);

        let text = metrics.print();
        assert!(text.contains("# HELP tongdai_calls_live Calls that are live.\n"), "{text}");
        assert!(text.contains("tongdai_calls_live 3\n") && text.contains("tongdai_sip_received_total 1\n"), "{text}");
        assert!(text.contains("tongdai_own 7\n"), "{text}");
    }
}
