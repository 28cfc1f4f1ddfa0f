//! Trees of random shape over what a generated population declares, as a model's table.

use std::fmt::Write as _;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Some trees, every kind of split among them.
pub fn trees(random: &mut ChaCha8Rng) -> String {
    let mut csv = "tree,node,feature,equals,below,missing,left,right,value,rows,people\n".to_owned();
    for tree in 0..random.random_range(1..6) {
        let mut lines = Vec::new();
        grow(random, &mut lines, 5);
        for (node, (what, rows)) in lines.iter().enumerate() {
            writeln!(csv, "{tree},{node},{what},{rows},10").unwrap();
        }
    }
    csv
}

/// The number of the node, and the rows that came to it.
fn grow(random: &mut ChaCha8Rng, lines: &mut Vec<(String, u64)>, depth: u32) -> (usize, u64) {
    let at = lines.len();
    lines.push((String::new(), 0));
    if depth == 0 || random.random_bool(0.2) {
        let rows = random.random_range(10..1000);
        lines[at] = (format!(",,,,,,{:?}", random.random_range(-1.0..1.0_f64)), rows);
        return (at, rows);
    }
    let missing = if random.random_bool(0.5) { "left" } else { "right" };
    let test = match random.random_range(0..7) {
        0 => format!("age_years,,{},{missing}", random.random_range(0..90)),
        1 => format!("spells_all,,{},{missing}", random.random_range(1..4)),
        2 => format!("cost_all,,{:?},{missing}", random.random_range(0.0..500.0_f64)),
        3 => format!("cond_heart,,1,{missing}"),
        4 => format!("ethnicity,A,,{missing}"),
        5 => format!("ethnicity,,,{missing}"),
        _ => format!("decile,,,{missing}"),
    };
    let (left, rows_left) = grow(random, lines, depth - 1);
    let (right, rows_right) = grow(random, lines, depth - 1);
    lines[at] = (format!("{test},{left},{right},"), rows_left + rows_right);
    (at, rows_left + rows_right)
}
