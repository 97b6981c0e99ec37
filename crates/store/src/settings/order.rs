//! Rules in the order in which they are tried.

use super::house::{House, Key};

/// The places that have to change so that one stands at a position, from 1, among its owner's.
pub(super) fn moves(house: &House, key: &Key, position: usize) -> Vec<(Key, i64)> {
    let rows = house.of_noun(key.0, key.1);
    let mut order: Vec<&Key> = rows.iter().map(|(other, _)| *other).filter(|other| *other != key).collect();
    order.insert((position - 1).min(order.len()), key);
    if order.iter().zip(&rows).all(|(wanted, (there, _))| wanted == there) {
        return Vec::new();
    }
    (0..)
        .zip(order)
        .filter(|(place, key)| house.rows.get(*key).is_none_or(|row| row.place != *place))
        .map(|(place, key)| (key.clone(), place))
        .collect()
}
