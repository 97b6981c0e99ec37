//! What came of it all, as one JSON object.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::load::{Click, Load};
use crate::measure::{Snapshot, percentiles};
use crate::phones::Leg;

/// What the listeners are told of every click, in this order.
const STORY: [&str; 4] = ["Ring", "Ringing", "Up", "Hangup"];

/// A run, and the two moments between which it counts.
pub struct Report<'a> {
    pub mode: &'a str,
    pub rate: f64,
    pub load: &'a Load,
    pub begin: Snapshot,
    pub end: Snapshot,
    /// How late we ourselves were at most with an order, in microseconds.
    pub late_us: u64,
}

impl Report<'_> {
    /// The whole object.
    pub fn print(&self) -> String {
        let failed: Vec<_> = self.load.clicks.iter().filter_map(|click| click.failure.as_deref()).collect();
        let done = self.load.clicks.iter().filter(|click| click.over_at != 0).count();
        let mut out = format!(
            "{{\"mode\":\"{}\",\"rate\":{},\"started\":{},\"done\":{done},\"failed\":{},\"unfinished\":{}",
            self.mode,
            self.rate,
            self.load.clicks.len(),
            failed.len(),
            self.load.open,
        );
        let odd = &self.load.oddities;
        let _ = write!(
            out,
            ",\"retx_sent\":{},\"dup_invites\":{},\"reinvites\":{},\"strange_invites\":{},\"gen_late_max_us\":{}",
            odd.resent, odd.repeated, odd.reinvites, odd.strange_invites, self.late_us
        );
        let over = self.load.clicks.iter().filter(|click| self.window().contains(&click.over_at)).count();
        let per_second = over as f64 * 1e9 / (self.end.at() - self.begin.at()).max(1) as f64;
        let per_click = self.begin.server_ms_until(&self.end) / over.max(1) as f64;
        let _ = write!(out, ",\"done_per_s\":{per_second:.1},\"server_cpu_ms_per_op\":{per_click:.4}");
        let _ = write!(out, ",{}", self.delays());
        if !self.load.listeners.is_empty() {
            let _ = write!(out, ",{},{}", self.event_delays(), self.stories());
        }
        let notes: Vec<_> = failed.iter().take(5).collect();
        let _ = write!(out, ",{},\"fail_notes\":{notes:?}}}", self.begin.window(&self.end));
        out
    }

    fn delays(&self) -> String {
        [
            self.spans("order_to_invite_us", |click| Some((click.ordered_at, self.leg(click.agent_leg)?.invited_at))),
            self.spans("order_to_http_answer_us", |click| Some((click.ordered_at, click.replied_at))),
            self.spans("agent_180_to_http_answer_us", |click| {
                Some((self.leg(click.agent_leg)?.rang_at, click.replied_at))
            }),
            self.spans("agent_200_to_customer_invite_us", |click| {
                Some((self.leg(click.agent_leg)?.answered_at, self.leg(click.customer_leg)?.invited_at))
            }),
        ]
        .join(",")
    }

    /// From the SIP message on the wire to the event that tells of it.
    fn event_delays(&self) -> String {
        let rang = self.to_event("Ring", |click| Some(self.leg(click.agent_leg)?.rang_at));
        let ringing = self.to_event("Ringing", |click| Some(self.leg(click.customer_leg)?.rang_at));
        let up = self.to_event("Up", |click| Some(self.leg(click.customer_leg)?.answered_at));
        let hung_up = self.to_event("Hangup", |click| Some(click.hung_up_at));
        let all = [&rang[..], &ringing, &up, &hung_up].concat();
        [
            percentiles("agent_180_to_ring_event_us", rang),
            percentiles("customer_180_to_ringing_event_us", ringing),
            percentiles("customer_200_to_up_event_us", up),
            percentiles("bye_to_hangup_event_us", hung_up),
            percentiles("sip_to_event_us", all),
        ]
        .join(",")
    }

    /// Whether each finished call's story was told to each listener, whole, once and in order.
    fn stories(&self) -> String {
        let (mut right, mut missing, mut doubled, mut disordered, mut wrong_callid) = (0, 0, 0, 0, 0);
        for click in self.load.clicks.iter().filter(|click| click.over_at != 0) {
            for story in &click.told {
                let told: Vec<_> = story.iter().map(|event| event.state.as_str()).collect();
                let count = |state: &str| told.iter().filter(|word| word.eq_ignore_ascii_case(state)).count();
                let kinds = STORY.iter().filter(|state| count(state) > 0).count();
                missing += STORY.len() - kinds;
                doubled += told.len() - kinds;
                wrong_callid += story.iter().filter(|event| event.callid != click.callid).count();
                if told.len() == kinds && kinds == STORY.len() {
                    let in_order = told.iter().zip(STORY).all(|(word, state)| word.eq_ignore_ascii_case(state));
                    if in_order { right += 1 } else { disordered += 1 }
                }
            }
        }
        let mut heard: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, count) in self.load.listeners.iter().flat_map(|listener| &listener.heard) {
            *heard.entry(name).or_default() += count;
        }
        let heard: Vec<_> = heard.iter().map(|(name, count)| format!("{name:?}:{count}")).collect();
        format!(
            "\"listeners\":{},\"stories_right\":{right},\"events_missing\":{missing},\"events_doubled\":{doubled},\
             \"stories_out_of_order\":{disordered},\"events_wrong_callid\":{wrong_callid},\"events_strange\":{},\
             \"events_by_name\":{{{}}}",
            self.load.listeners.len(),
            self.load.oddities.strange_events,
            heard.join(","),
        )
    }

    fn to_event(&self, state: &str, sent_at: impl Fn(&Click) -> Option<u64>) -> Vec<u64> {
        let of_click = |click: &&Click| {
            let sent_at = sent_at(click).filter(|at| *at != 0)?;
            let events = click
                .told
                .iter()
                .filter_map(|story| story.iter().find(|event| event.state.eq_ignore_ascii_case(state)));
            Some(events.map(|event| event.at.saturating_sub(sent_at)).collect::<Vec<_>>())
        };
        self.counted().filter_map(|click| of_click(&click)).flatten().collect()
    }

    /// Sums up the spans between two times of each click, where both have come.
    fn spans(&self, name: &str, span: impl Fn(&Click) -> Option<(u64, u64)>) -> String {
        let spans = self.counted().filter_map(span).filter(|(from, to)| *from != 0 && *to != 0);
        percentiles(name, spans.map(|(from, to)| to.saturating_sub(from)).collect())
    }

    fn counted(&self) -> impl Iterator<Item = &Click> {
        let clicks = self.load.clicks.iter().filter(|click| click.failure.is_none());
        clicks.filter(|click| self.window().contains(&click.ordered_at))
    }

    fn window(&self) -> std::ops::Range<u64> {
        self.begin.at()..self.end.at()
    }

    fn leg(&self, leg: Option<usize>) -> Option<&Leg> {
        leg.map(|leg| &self.load.legs[leg])
    }
}
