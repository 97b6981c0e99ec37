//! What happens to agents.

use serde::{Deserialize, Serialize};

use crate::Text;

/// What happens to an extension as a member of queues.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum AgentEvent {
    /// Takes calls of its queues from now on.
    #[serde(rename = "agent.signed_in")]
    SignedIn,
    /// Takes none any more.
    #[serde(rename = "agent.signed_out")]
    SignedOut,
    /// Takes none for now.
    #[serde(rename = "agent.paused")]
    Paused {
        /// Why, in the agent's words; `no answer` where it missed too many.
        reason: Text,
    },
    /// Takes calls again after a pause.
    #[serde(rename = "agent.resumed")]
    Resumed,
    /// Has time to write down what was talked about.
    #[serde(rename = "agent.wrap_up")]
    WrapUp {
        /// For how long.
        seconds: u32,
    },
    /// The time for writing down is over.
    #[serde(rename = "agent.ready")]
    Ready,
}
