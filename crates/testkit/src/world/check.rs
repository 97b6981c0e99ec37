//! A script and the ladder that it must give.

use super::World;

/// Plays a script in a fresh world until nothing is under way, and compares the ladder; then the world must have ended
/// as every world does. Blanks at the ends of lines and between columns do not count.
#[track_caller]
pub fn check(script: impl FnOnce(&mut World), ladder: &str) {
    let mut world = World::new(1);
    script(&mut world);
    world.settle();
    let found = world.ladder();
    same(ladder, &found);
    world.end();
}

/// Compares two texts line by line.
#[track_caller]
pub fn same(wanted: &str, found: &str) {
    let lines = |text: &str| -> Vec<String> {
        let words = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        words.filter(|line| !line.is_empty()).collect()
    };
    let (wanted, found) = (lines(wanted), lines(found));
    if wanted == found {
        return;
    }
    let first = wanted.iter().zip(&found).position(|(a, b)| a != b).unwrap_or(wanted.len().min(found.len()));
    let shown = |lines: &[String]| {
        let marked = lines.iter().enumerate().map(|(at, line)| {
            let mark = if at == first { ">" } else { " " };
            format!("{mark} {line}\n")
        });
        marked.collect::<String>()
    };
    panic!("line {} differs\n\nwanted:\n{}\nfound:\n{}", first + 1, shown(&wanted), shown(&found));
}
