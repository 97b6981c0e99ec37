//! Who calls, as far as others may know it, and by whom the call was passed on before it came to whom it rings now.

use model::{Number, Reason};

/// So often a call may be passed on in all its life, wherever that was.
pub const MOST_DIVERSIONS: u32 = 5;

/// So often the wish of a called side to be called elsewhere is followed.
const MOST_REDIRECTS: u8 = 2;

/// Who the called side is told is calling.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shown {
    /// The number, in the form the called side is used to.
    pub number: String,
    /// A name, where there is one.
    pub name: Option<String>,
    /// Whether nobody may see either: the caller wants it so.
    pub private: bool,
}

/// What a call shows outside.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Presented {
    /// Whose number.
    pub number: Option<Number>,
    /// Whether it is for those alone whom we trust: the caller wants it so.
    pub private: bool,
}

/// Who calls.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Caller {
    /// As phones show it.
    pub shown: Shown,
    /// The number of somebody outside, where it is one.
    pub number: Option<Number>,
    /// By whom the call was passed on, as far as that is known: the latest first.
    pub diversions: Vec<Diversion>,
    /// How often it was passed on. More than there are diversions where some are not named.
    diverted: u32,
    redirects: u8,
}

/// Somebody who passed a call on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diversion {
    /// E.164 with a plus, or as somebody else wrote it.
    pub number: String,
    /// Why: `unconditional`, `deflection`, `user-busy` …
    pub why: String,
    /// Whether it was one of us. Others' are passed on only to those we trust.
    pub ours: bool,
}

impl Caller {
    /// Somebody who shows this.
    pub fn new(shown: Shown, number: Option<Number>) -> Self {
        Self { shown, number, ..Self::default() }
    }

    /// The same, after others have passed the call on so often.
    pub fn diverted(self, diversions: Vec<Diversion>, times: u32) -> Self {
        Self { diversions, diverted: times, ..self }
    }

    /// Whether the call went from hand to hand too often.
    pub fn is_lost(&self) -> bool {
        self.diverted > MOST_DIVERSIONS
    }

    /// How often it was passed on by those who were called here.
    pub fn passed_on(&self) -> u32 {
        self.redirects.into()
    }

    /// The called side passes the call on. `by`: the number of ours that does; none where it is a carrier's own doing.
    pub fn redirect(&mut self, by: Option<Diversion>) -> Result<(), Reason> {
        if self.redirects >= MOST_REDIRECTS || self.diverted >= MOST_DIVERSIONS {
            return Err(Reason::Diverted);
        }
        self.redirects += 1;
        self.diverted += 1;
        if let Some(by) = by {
            self.diversions.insert(0, by);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us() -> Option<Diversion> {
        Some(Diversion { number: "+842873088088".into(), why: "unconditional".into(), ours: true })
    }

    #[test]
    fn a_wish_to_be_called_elsewhere_is_followed_twice() {
        let mut caller = Caller::default();

        let followed = [(); 3].map(|()| caller.redirect(us()));

        assert_eq!(followed, [Ok(()), Ok(()), Err(Reason::Diverted)]);
        assert_eq!(caller.diversions.len(), 2);
    }

    #[test]
    fn what_others_have_done_before_counts() {
        let mut caller = Caller::default().diverted(Vec::new(), 4);

        assert_eq!(caller.redirect(us()), Ok(()));
        assert_eq!(caller.redirect(us()), Err(Reason::Diverted));
        assert!(!caller.is_lost());
        assert!(Caller::default().diverted(Vec::new(), 6).is_lost());
    }
}
