//! What one step of the engine lends to the machine that it touches.

use std::collections::VecDeque;

use media::{Order, WorkerId};
use model::{Kept, KeptKind, Reason, TenantId, Ticket, Told};
use sip::Endpoint;

use crate::edge::{Now, Output, Question, Wire};
use crate::ids::Ids;
use crate::key::Key;
use crate::limits::{Begun, Urgency, Uses};
use crate::office::Office;
use crate::questions::Questions;
use crate::sounds::Sounds;
use crate::trunks::Trunks;

/// Everything a call may use while it takes a step. The call itself is out of its tenant's table for so long.
pub struct Step<'a> {
    /// The time.
    pub now: Now,
    /// What the tenant's calls share.
    pub office: &'a mut Office,
    /// The SIP machine.
    pub endpoint: &'a mut Endpoint<Key>,
    /// Ready addresses for sound.
    pub sounds: &'a mut Sounds,
    /// How trunks stand, and what is in use of them.
    pub trunks: &'a mut Trunks,
    /// Calls that wait for an answer.
    pub questions: &'a mut Questions,
    /// Gives names.
    pub ids: &'a mut Ids,
    /// Where what comes out goes.
    pub out: &'a mut VecDeque<Output>,
}

impl Step<'_> {
    /// The tenant.
    pub fn tenant_id(&self) -> TenantId {
        self.office.settings.id
    }

    /// Takes what a leg uses.
    pub fn take(&mut self, uses: &Uses, begun: Begun, urgency: Urgency) -> Result<(), Reason> {
        match uses {
            Uses::Line(extension) => self.office.limits.take_line(&self.office.settings, extension, urgency),
            Uses::Trunk(trunk) => self.trunks.take(self.now.mono, trunk, begun, urgency),
        }
    }

    /// Gives back what a leg used.
    pub fn free(&mut self, uses: &Uses) {
        match uses {
            Uses::Line(extension) => self.office.limits.free_line(extension),
            Uses::Trunk(trunk) => self.trunks.free(trunk),
        }
    }

    /// Orders a media worker.
    pub fn media(&mut self, worker: WorkerId, order: Order) {
        self.out.push_back(Output::Wire(Wire::Media { worker, order }));
    }

    /// Asks what is slow to know.
    pub fn ask(&mut self, ticket: Ticket, question: Question) {
        let tenant = self.tenant_id();
        self.out.push_back(Output::Wire(Wire::Ask { ticket, tenant, question }));
    }

    /// Keeps a live fact, or lets it go.
    pub fn keep(&mut self, kind: KeptKind, key: String, value: Option<String>) {
        let kept = Kept { tenant: self.tenant_id(), kind, key, value, expires: None };
        self.out.push_back(Output::Told(Told::Keep(kept)));
    }
}
