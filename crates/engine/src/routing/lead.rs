//! What a number leads to: somebody who is rung, or something that takes the call itself.

use model::{
    Extension, Feature, Menu, Number, NumberRoute, OpenState, Party, Prompt, Queue, Reason, Route, TenantSettings,
    Timestamp,
};

use super::{Crm, Destination};

/// Where a call goes next.
#[derive(Clone, PartialEq, Debug)]
pub enum Lead<'a> {
    /// Somebody is rung.
    To(Destination<'a>),
    /// The CRM names whoever is rung.
    Asks(Crm),
    /// The caller chooses by keys.
    Menu(&'a Menu),
    /// The caller waits for an agent.
    Queue(&'a Queue),
    /// The caller leaves a message for this extension, which has a mailbox.
    Voicemail(&'a Extension),
    /// The caller hears a prompt, and that is all.
    Play(Prompt),
    /// A code was dialled, and this after it.
    Feature(Feature, String),
    /// A place where calls are parked was dialled.
    Parked(u32),
}

impl<'a> Lead<'a> {
    /// Who is rung, where somebody is.
    pub fn rung(self) -> Result<Destination<'a>, Reason> {
        match self {
            Self::To(destination) => Ok(destination),
            _ => Err(Reason::RouteUnavailable),
        }
    }

    /// Who or what is called. None: the CRM will say.
    pub fn party(&self) -> Option<Party> {
        Some(match self {
            Self::To(destination) => destination.party(),
            Self::Asks(_) => return None,
            Self::Menu(menu) => Party::Menu { number: menu.name.clone() },
            Self::Queue(queue) => Party::Queue { number: queue.number.clone() },
            Self::Voicemail(extension) => Party::Voicemail { number: extension.number.clone() },
            Self::Play(Prompt::Sound(name)) => Party::Prompt { number: name.clone() },
            Self::Play(Prompt::Say(_)) => Party::Prompt { number: String::new() },
            Self::Feature(feature, rest) => Party::Feature { number: format!("{}{rest}", feature.word()) },
            Self::Parked(place) => Party::Parking { number: place.to_string() },
        })
    }
}

/// What `dialled` leads to when somebody inside dials it at this moment.
pub fn inside<'a>(settings: &'a TenantSettings, at: Timestamp, dialled: &str) -> Result<Lead<'a>, Reason> {
    if let Some((feature, rest)) = settings.feature_codes.find(dialled) {
        return Ok(Lead::Feature(feature, rest.to_owned()));
    }
    if let Some(extension) = settings.extensions.get(dialled) {
        return Ok(Lead::To(Destination::Extension(extension)));
    }
    if let Some(group) = settings.groups.get(dialled) {
        return Ok(Lead::To(Destination::Group(group)));
    }
    if let Some(queue) = settings.queues.get(dialled) {
        return Ok(Lead::Queue(queue));
    }
    if let Some(place) = place(settings, dialled) {
        return Ok(Lead::Parked(place));
    }
    // An own public number is reached inside: the carrier would only bring the call back. The CRM decides for customers
    // alone.
    if let Some(own) = own(settings, dialled) {
        return settled(settings, at, &own.route);
    }
    super::public(settings, dialled).map(|outside| Lead::To(Destination::Outside(outside)))
}

/// What a call from outside to `did` (E.164 digits) leads to at this moment.
pub fn outside<'a>(settings: &'a TenantSettings, at: Timestamp, did: &str) -> Result<Lead<'a>, Reason> {
    let NumberRoute { route, .. } = settings.numbers.get(did).ok_or(Reason::UnknownTarget)?;
    by_route(settings, at, route)
}

/// Whether the hours say where somebody goes who calls this number, from inside or outside.
pub fn goes_by_hours(settings: &TenantSettings, number: &str) -> bool {
    let route = settings.numbers.get(number).or_else(|| own(settings, number)).map(|own| &own.route);
    matches!(route, Some(Route::Hours { .. }))
}

/// Where a route leads at this moment.
pub fn by_route<'a>(settings: &'a TenantSettings, at: Timestamp, route: &Route) -> Result<Lead<'a>, Reason> {
    let route = by_hours(settings, at, route);
    match Crm::of(route) {
        Some(crm) => Ok(Lead::Asks(crm)),
        None => settled(settings, at, route),
    }
}

/// Where a route leads at this moment when nobody is asked.
pub fn settled<'a>(settings: &'a TenantSettings, at: Timestamp, route: &Route) -> Result<Lead<'a>, Reason> {
    let route = by_hours(settings, at, super::crm::settled(by_hours(settings, at, route)));
    let there = |found: Option<Lead<'a>>| found.ok_or(Reason::UnknownTarget);
    match route {
        Route::Extension(number) => {
            there(settings.extensions.get(number).map(|extension| Lead::To(Destination::Extension(extension))))
        }
        Route::Group(number) => there(settings.groups.get(number).map(|group| Lead::To(Destination::Group(group)))),
        Route::Queue(number) => there(settings.queues.get(number).map(Lead::Queue)),
        Route::Menu(name) => there(settings.menus.get(name).map(Lead::Menu)),
        Route::Voicemail(number) => there(mailbox(settings, number).map(Lead::Voicemail)),
        Route::Play(prompt) => Ok(Lead::Play(prompt.clone())),
        Route::Outside(number) => {
            super::public(settings, number).map(|outside| Lead::To(Destination::Outside(outside)))
        }
        // Hours in hours and questions behind questions are refused where settings are read.
        Route::Crm { .. } | Route::Hours { .. } => Err(Reason::RouteUnavailable),
    }
}

/// The tenant's own public number that somebody dialled inside.
fn own<'a>(settings: &'a TenantSettings, dialled: &str) -> Option<&'a NumberRoute> {
    let number = Number::parse(dialled, &settings.country).ok()?;
    settings.numbers.get(number.international())
}

/// What the hours make of a route at this moment. Hours that are not there are closed.
fn by_hours<'r>(settings: &TenantSettings, at: Timestamp, route: &'r Route) -> &'r Route {
    let Route::Hours { hours, open, closed, holiday } = route else { return route };
    match settings.hours.get(hours).map_or(OpenState::Closed, |hours| hours.at(at, &settings.zone)) {
        OpenState::Open => open,
        OpenState::Closed => closed,
        OpenState::Holiday => holiday.as_ref().unwrap_or(closed),
    }
}

/// The place where calls are parked that somebody dialled.
fn place(settings: &TenantSettings, dialled: &str) -> Option<u32> {
    let parking = settings.parking.as_ref()?;
    let place: u32 = dialled.parse().ok().filter(|_| !dialled.starts_with(['0', '+']))?;
    (parking.first..parking.first + parking.places).contains(&place).then_some(place)
}

/// An extension that has a mailbox.
pub fn mailbox<'a>(settings: &'a TenantSettings, number: &str) -> Option<&'a Extension> {
    settings.extensions.get(number).filter(|extension| extension.voicemail.is_some())
}

#[cfg(test)]
mod tests {
    use model::{Hours, OpenHours, Parking, Spoken};

    use super::*;
    use crate::fixture;

    fn noon() -> Timestamp {
        "2026-11-20T12:00:00+07:00".parse().expect("a moment")
    }

    #[test]
    fn what_is_dialled_inside_is_a_code_a_place_or_somebody() {
        let mut settings = fixture::demo();
        settings.parking = Some(Parking { first: 801, places: 10, seconds: 120 });

        let lead = |dialled: &str| inside(&settings, noon(), dialled);

        assert_eq!(lead("*8102"), Ok(Lead::Feature(Feature::PickUp, "102".into())));
        assert_eq!(lead("*99"), Err(Reason::UnknownTarget));
        assert_eq!([lead("801"), lead("810")], [Ok(Lead::Parked(801)), Ok(Lead::Parked(810))]);
        assert_eq!(lead("811"), Err(Reason::UnknownTarget));
        assert!(matches!(lead("102"), Ok(Lead::To(Destination::Extension(extension))) if extension.number == "102"));
        assert!(matches!(lead("0900000001"), Ok(Lead::To(Destination::Outside(_)))));
    }

    #[test]
    fn an_own_public_number_is_reached_inside() {
        let settings = fixture::demo();

        let [desk, group] = ["02873088088", "02873088089"].map(|dialled| inside(&settings, noon(), dialled));

        assert!(matches!(desk, Ok(Lead::To(Destination::Extension(extension))) if extension.number == "101"));
        assert!(matches!(group, Ok(Lead::To(Destination::Group(group))) if group.number == "600"));
    }

    #[test]
    fn a_number_that_nobody_has_leads_nowhere() {
        let settings = fixture::demo();

        assert_eq!(outside(&settings, noon(), "842899999999"), Err(Reason::UnknownTarget));
        assert!(matches!(outside(&settings, noon(), "842873088089"), Ok(Lead::To(Destination::Group(_)))));
    }

    #[test]
    fn a_route_by_hours_leads_where_the_clock_says() {
        let mut settings = fixture::demo();
        let mornings = OpenHours { first_day: 0, last_day: 6, from: 8 * 60, until: 12 * 60 };
        settings
            .hours
            .insert("office".into(), Hours { name: "office".into(), open: vec![mornings], holidays: Vec::new() });
        let closed = Prompt::Say(Spoken { vi: "Hết giờ.".into(), en: "Closed.".into() });
        let route = Route::Hours {
            hours: "office".into(),
            open: Box::new(Route::Extension("101".into())),
            closed: Box::new(Route::Play(closed.clone())),
            holiday: None,
        };
        let at = |at: &str| by_route(&settings, format!("2026-11-20T{at}+07:00").parse().expect("a moment"), &route);

        assert!(matches!(at("11:59:59"), Ok(Lead::To(Destination::Extension(_)))));
        assert_eq!(at("12:00:00"), Ok(Lead::Play(closed)));
    }

    #[test]
    fn only_an_extension_with_a_mailbox_takes_messages() {
        let mut settings = fixture::demo();
        let route = Route::Voicemail("102".into());

        assert_eq!(settled(&settings, noon(), &route), Err(Reason::UnknownTarget));
        let mailbox = model::Mailbox { mail: None, greeting: None, max_seconds: 180, max_messages: 10 };
        settings.extensions.get_mut("102").expect("102").voicemail = Some(mailbox);
        assert!(
            matches!(settled(&settings, noon(), &route), Ok(Lead::Voicemail(extension)) if extension.number == "102")
        );
    }
}
