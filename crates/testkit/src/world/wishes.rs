//! Whoever keeps the settings of the world: changes them as phones wish, and hands them over before it says so.

use std::sync::Arc;

use engine::{Answer, Input, Wished};
use model::{Extension, Forwarding, TenantId, Ticket};

use super::World;

impl World {
    /// No setting can be changed from here on.
    pub fn settings_stay(&mut self) {
        self.settings_stay = true;
    }

    pub(super) fn fulfil(&mut self, ticket: Ticket, tenant: TenantId, extension: &str, wished: &Wished) {
        self.ladder.note(self.now, &format!("pbx -> settings  {extension} wishes {}", words(wished)));
        if self.settings_stay {
            let answer = Answer::Failed("the database is away".into());
            return self.echoes.push_back(Input::Answer { ticket, answer });
        }
        let company = self.companies.iter_mut().find(|company| company.settings.id == tenant);
        let Some(company) = company else { return };
        if let Some(extension) = company.settings.extensions.get_mut(extension) {
            change(extension, wished);
        }
        company.settings.version += 1;
        let settings = Arc::new(company.settings.clone());
        let handover = self.ticket();
        self.echoes.push_back(Input::Settings { ticket: handover, settings });
        self.echoes.push_back(Input::Answer { ticket, answer: Answer::Done });
    }
}

fn change(extension: &mut Extension, wished: &Wished) {
    let forward = &mut extension.forward;
    match wished.clone() {
        Wished::Forward(Forwarding::Always, to) => forward.always = to,
        Wished::Forward(Forwarding::Busy | Forwarding::DoNotDisturb, to) => forward.busy = to,
        Wished::Forward(Forwarding::NoAnswer, to) => forward.no_answer = to,
        Wished::Forward(Forwarding::Unreachable, to) => forward.unreachable = to,
        Wished::NoForward => *forward = Default::default(),
        Wished::DoNotDisturb(on) => extension.do_not_disturb = on,
    }
}

fn words(wished: &Wished) -> String {
    match wished {
        Wished::Forward(why, to) => {
            format!("calls to go {why:?} to {}", to.as_deref().unwrap_or("nobody")).to_lowercase()
        }
        Wished::NoForward => "no call to go elsewhere".into(),
        Wished::DoNotDisturb(true) => "no calls".into(),
        Wished::DoNotDisturb(false) => "calls".into(),
    }
}
