//! Groups: who is rung, in which order and for how long, and what a caller hears of it.

mod in_order;
mod together;
mod ways;

use model::{Route, Strategy};
use testkit::world::World;

/// The first company's group 600, which its number leads to.
fn group(world: &mut World, strategy: Strategy, members: &[&str]) {
    world.settings(|settings| {
        let group = settings.groups.get_mut("600").expect("a company has a group");
        group.strategy = strategy;
        group.members = members.iter().map(|member| (*member).to_owned()).collect();
    });
    world.number_reaches(Route::Group("600".into()));
}
