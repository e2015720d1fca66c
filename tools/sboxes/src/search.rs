//! The search: a first circuit grown from the truth tables, then a long random walk over equivalent circuits.
//!
//! Growing is the recursion of M. Kwan, "Reducing the gate count of bitslice DES" (2000): take a node that is right
//! wherever the caller cares, else one gate over two nodes, else split by an input and grow both halves.
//!
//! The walk goes on where that ends. It takes a gate, finds in which of the 64 patterns its value reaches an output
//! at all (its observability, as in resubstitution of logic synthesis: Mishchenko, Brayton et al., "Scalable
//! don't-care-based logic optimization and resubstitution", 2011), and puts another gate, or two, in its place that
//! agree there. Gates nobody reads any more disappear. Circuits of equal size are taken always, so the walk drifts over
//! wide plains of equivalent circuits; larger ones are taken rarely, and never more than `SLACK` above the best.

use crate::circuit::{AND, ANDN, Circuit, Gate, INPUTS, NOT, OR, Set, XOR};
use crate::random::Random;

/// How many gates above the best the walk may climb.
const SLACK: usize = 3;

/// One in this many climbs is taken.
const CLIMB: usize = 20;

/// How many circuits are grown to start from the smallest.
const GROWN: usize = 100;

/// How often growing looks for two gates at random before it splits.
const TRIES: usize = 300;

/// One in this many steps may put two gates in place of one.
const PAIRS: usize = 3;

/// The smallest of many grown circuits for the outputs of a box.
#[must_use]
pub fn grow(set: Set, targets: [u64; 4], random: &mut Random) -> Circuit {
    let grown = (0..GROWN).map(|_| grow_one(set, targets, random));
    grown.min_by_key(|circuit| circuit.gates.len()).expect("at least one is grown")
}

/// One grown circuit.
#[must_use]
pub fn grow_one(set: Set, targets: [u64; 4], random: &mut Random) -> Circuit {
    let mut growth = Growth { set, values: crate::tables::inputs().to_vec(), gates: Vec::new() };
    let mut order = [0, 1, 2, 3];
    random.shuffle(&mut order);
    let mut outputs = [0; 4];
    for output in order {
        outputs[output] = growth.node(targets[output], u64::MAX, random);
    }
    Circuit { gates: growth.gates, outputs }
}

#[derive(Clone)]
struct Growth {
    set: Set,
    values: Vec<u64>,
    gates: Vec<Gate>,
}

impl Growth {
    /// A node that is `target` wherever `care` is one.
    fn node(&mut self, target: u64, care: u64, random: &mut Random) -> usize {
        let same = |value: &u64| (value ^ target) & care == 0;
        if let Some(node) = self.values.iter().position(same) {
            return node;
        }
        let every: Vec<usize> = (0..self.values.len()).collect();
        if let Some(gate) = one(self.set, &self.values, &every, target, care, random) {
            return self.push(gate);
        }
        for _ in 0..TRIES {
            if let Some((last, first)) = pair(self.set, &self.values, &every, target, care, random) {
                self.push(first);
                return self.push(last);
            }
        }
        // Which inputs still tell patterns apart that the caller cares about.
        let splits = |input: &usize| care & self.values[*input] != 0 && care & !self.values[*input] != 0;
        let inputs: Vec<usize> = (0..INPUTS).filter(splits).collect();
        let mut best: Option<(Self, usize)> = None;
        for by in inputs {
            let mut trial = self.clone();
            let node = trial.split(target, care, by, random);
            if best.as_ref().is_none_or(|(best, _)| trial.gates.len() < best.gates.len() + random.below(2)) {
                best = Some((trial, node));
            }
        }
        let (grown, node) = best.expect("a table with two values is split by an input");
        *self = grown;
        node
    }

    fn split(&mut self, target: u64, care: u64, by: usize, random: &mut Random) -> usize {
        let ones = random.below(2) == 1;
        let there = if ones { self.values[by] } else { !self.values[by] };
        let base = self.node(target, care & !there, random);
        if self.set == Set::Lookups {
            let other = self.node(target, care & there, random);
            return self.push(Gate { table: if ones { 0xca } else { 0xac }, from: [by, other, base] });
        }
        // target = base ^ (change where `by` is one, or where it is zero): `change` matters only there.
        let change = self.node(target ^ self.values[base], care & there, random);
        let masked = self.push(if ones { two(AND, change, by) } else { two(ANDN, change, by) });
        self.push(two(XOR, base, masked))
    }

    fn push(&mut self, gate: Gate) -> usize {
        let [a, b, c] = gate.from.map(|node| self.values[node]);
        self.values.push(crate::circuit::apply(gate.table, a, b, c));
        self.gates.push(gate);
        self.values.len() - 1
    }
}

/// Walks `steps` steps from `start`; the smallest circuit on the way. Never larger than `start`.
#[must_use]
pub fn walk(start: &Circuit, set: Set, targets: [u64; 4], steps: usize, random: &mut Random) -> Circuit {
    let (mut best, mut here) = (start.clone(), start.clone());
    for _ in 0..steps {
        let Some(next) = step(&here, set, targets, random) else { continue };
        let size = next.gates.len();
        let level = size <= here.gates.len() || random.below(CLIMB) == 0;
        if size > best.gates.len() + SLACK || !level {
            continue;
        }
        if size < best.gates.len() {
            best = next.clone();
        }
        here = next;
    }
    // Where the walk stands is as good as where the best was found, and starts the next walk elsewhere.
    if here.gates.len() == best.gates.len() { here } else { best }
}

/// Another circuit for the same outputs, in which one gate is replaced.
fn step(circuit: &Circuit, set: Set, targets: [u64; 4], random: &mut Random) -> Option<Circuit> {
    let values = circuit.simulate();
    let node = INPUTS + random.below(circuit.gates.len());
    let (care, above) = observe(circuit, &values, targets, node);
    let free: Vec<usize> = (0..values.len()).filter(|n| above >> n & 1 == 0).collect();
    let target = values[node];
    let mut next = circuit.clone();
    let same = |n: &&usize| **n != node && (values[**n] ^ target) & care == 0;
    if let Some(other) = free.iter().find(same) {
        next.gates.iter_mut().flat_map(|gate| &mut gate.from).chain(&mut next.outputs).for_each(|read| {
            if *read == node {
                *read = *other;
            }
        });
        return next.tidied();
    }
    // Without the gates that only this one needs, what is found makes them superfluous.
    let own = if random.below(2) == 0 { own(circuit, node) } else { 1 << node };
    let free: Vec<usize> = free.into_iter().filter(|n| own >> n & 1 == 0).collect();
    if random.below(PAIRS) > 0 {
        next.gates[node - INPUTS] = one(set, &values, &free, target, care, random)?;
    } else {
        let (last, first) = pair(set, &values, &free, target, care, random)?;
        next.gates[node - INPUTS] = last;
        next.gates.push(first);
    }
    next.tidied()
}

fn one(
    set: Set,
    values: &[u64],
    free: &[usize],
    target: u64,
    care: u64,
    random: &mut Random,
) -> Option<Gate> {
    match set {
        Set::Gates => two_input(values, free, target, care, random),
        Set::Lookups => lookup(values, free, target, care, random),
    }
}

/// Two gates, the last of which reads the first as the node after all others; random in which others they read.
fn pair(
    set: Set,
    values: &[u64],
    free: &[usize],
    target: u64,
    care: u64,
    random: &mut Random,
) -> Option<(Gate, Gate)> {
    match set {
        Set::Gates => two_gates(values, free, target, care, random),
        Set::Lookups => two_lookups(values, free, target, care, random),
    }
}

/// In which patterns `node` reaches an output, and the set of nodes that read it directly or not, itself included.
fn observe(circuit: &Circuit, values: &[u64], targets: [u64; 4], node: usize) -> (u64, u128) {
    let mut flipped = values.to_vec();
    flipped[node] = !values[node];
    let mut above = 1_u128 << node;
    for (place, gate) in circuit.gates.iter().enumerate().skip(node - INPUTS + 1) {
        if gate.from.iter().any(|read| above >> read & 1 == 1) {
            let [a, b, c] = gate.from.map(|read| flipped[read]);
            flipped[INPUTS + place] = crate::circuit::apply(gate.table, a, b, c);
            above |= 1 << (INPUTS + place);
        }
    }
    let reaches = circuit
        .outputs
        .iter()
        .zip(targets)
        .fold(0, |care, (output, target)| care | (flipped[*output] ^ target));
    (reaches, above)
}

/// The set of `node` and the gates that nothing else reads, directly or not.
fn own(circuit: &Circuit, node: usize) -> u128 {
    let mut own = 1_u128 << node;
    for below in (INPUTS..node).rev() {
        let mut readers = circuit.gates.iter().enumerate().filter(|(_, gate)| gate.from.contains(&below));
        if !circuit.outputs.contains(&below) && readers.all(|(place, _)| own >> (INPUTS + place) & 1 == 1) {
            own |= 1 << below;
        }
    }
    own
}

fn two(table: u8, a: usize, b: usize) -> Gate {
    Gate { table, from: [a, b, b] }
}

/// A random one of the two-input gates over `free` that are `target` wherever `care` is one.
fn two_input(values: &[u64], free: &[usize], target: u64, care: u64, random: &mut Random) -> Option<Gate> {
    let want = target & care;
    let mut found = Pick::new(random);
    let (mut above, mut below, mut apart) = (Vec::new(), Vec::new(), Vec::new());
    for &node in free {
        let value = values[node] & care;
        if value & want == want {
            above.push(node);
        }
        if value & !want == 0 {
            below.push(node);
        }
        if value & want == 0 {
            apart.push(node);
        }
        if value == care & !want {
            found.offer(|| two(NOT, node, node));
        }
        for &other in free.iter().take_while(|other| **other < node) {
            if (values[other] ^ values[node] ^ target) & care == 0 {
                found.offer(|| two(XOR, other, node));
            }
        }
    }
    for (place, &a) in above.iter().enumerate() {
        for &b in above.iter().take(place).filter(|b| values[a] & values[**b] & care == want) {
            found.offer(|| two(AND, a, b));
        }
        for &b in apart.iter().filter(|b| values[a] & !values[**b] & care == want) {
            found.offer(|| two(ANDN, a, b));
        }
    }
    for (place, &a) in below.iter().enumerate() {
        for &b in below.iter().take(place).filter(|b| (values[a] | values[**b]) & care == want) {
            found.offer(|| two(OR, a, b));
        }
    }
    found.picked
}

/// Two gates: a random node and a random operation as the last, and what then fits as the first.
fn two_gates(
    values: &[u64],
    free: &[usize],
    target: u64,
    care: u64,
    random: &mut Random,
) -> Option<(Gate, Gate)> {
    let (fresh, other) = (values.len(), free[random.below(free.len())]);
    let value = values[other];
    // What the first gate must be, where it matters, and where the other node alone must already be right.
    let (last, first_target, first_care, must) = match random.below(6) {
        0 => (two(XOR, other, fresh), target ^ value, care, 0),
        1 => (two(AND, other, fresh), target, care & value, care & !value & target),
        2 => (two(OR, other, fresh), target, care & !value, care & value & !target),
        3 => (two(ANDN, other, fresh), !target, care & value, care & !value & target),
        4 => (two(ANDN, fresh, other), target, care & !value, care & value & target),
        _ => (two(NOT, fresh, fresh), !target, care, 0),
    };
    if must != 0 {
        return None;
    }
    two_input(values, free, first_target, first_care, random).map(|first| (last, first))
}

/// A random one of the lookups over `free` that are `target` wherever `care` is one.
fn lookup(values: &[u64], free: &[usize], target: u64, care: u64, random: &mut Random) -> Option<Gate> {
    let (ones, zeros) = (target & care, !target & care);
    let split = |side: u64, by: u64, place: usize| if place == 1 { side & by } else { side & !by };
    let mut found = Pick::new(random);
    for (place, &a) in free.iter().enumerate() {
        for (next, &b) in free.iter().enumerate().skip(place + 1) {
            let cells: [(u64, u64); 4] = std::array::from_fn(|cell| {
                let part = |side| split(split(side, values[a], cell >> 1), values[b], cell & 1);
                (part(ones), part(zeros))
            });
            let (mut open, mut count) = ([(0, 0); 4], 0);
            for cell in cells.into_iter().filter(|(one, zero)| *one != 0 && *zero != 0) {
                open[count] = cell;
                count += 1;
            }
            for &c in free.iter().skip(next + 1) {
                let value = values[c];
                let clash = |(one, zero): &(u64, u64)| {
                    (one & value != 0 && zero & value != 0) || (one & !value != 0 && zero & !value != 0)
                };
                if !open.iter().take(count).any(clash) {
                    found.offer(|| Gate { table: 0, from: [a, b, c] });
                }
            }
        }
    }
    let from = found.picked?.from;
    let mut table = 0;
    for cell in 0..8 {
        let part = |side: u64| {
            let first = split(side, values[from[0]], cell >> 2);
            split(split(first, values[from[1]], cell >> 1 & 1), values[from[2]], cell & 1)
        };
        // A combination that never matters gets either value.
        let one = part(ones) != 0 || (part(zeros) == 0 && random.below(2) == 1);
        table |= u8::from(one) << cell;
    }
    Some(Gate { table, from })
}

/// Two lookups: two random nodes and the fresh one in the last, and what then fits as the first.
fn two_lookups(
    values: &[u64],
    free: &[usize],
    target: u64,
    care: u64,
    random: &mut Random,
) -> Option<(Gate, Gate)> {
    let fresh = values.len();
    let (a, b) = (free[random.below(free.len())], free[random.below(free.len())]);
    let (mut first_care, mut first_target, mut table) = (0, target, 0);
    for cell in 0..4_u32 {
        let side = |bit: u32, value: u64| if cell & bit == 0 { !value } else { value };
        let inside = side(2, values[a]) & side(1, values[b]) & care;
        let bits = match (inside & target != 0, inside & !target != 0) {
            (true, false) => 0b11,
            (false, true) => 0b00,
            (false, false) => [0b11, 0b00][random.below(2)],
            // Both values occur: the first lookup tells them apart, either way round.
            (true, true) => {
                first_care |= inside;
                if random.below(2) == 1 {
                    first_target ^= inside;
                    0b01
                } else {
                    0b10
                }
            }
        };
        table |= bits << (2 * cell);
    }
    lookup(values, free, first_target, first_care, random)
        .map(|first| (Gate { table, from: [a, b, fresh] }, first))
}

/// Picks one of many candidates, each with the same chance, without keeping them.
struct Pick<'a> {
    random: &'a mut Random,
    offered: usize,
    picked: Option<Gate>,
}

impl<'a> Pick<'a> {
    fn new(random: &'a mut Random) -> Self {
        Self { random, offered: 0, picked: None }
    }

    fn offer(&mut self, gate: impl FnOnce() -> Gate) {
        self.offered += 1;
        if self.random.below(self.offered) == 0 {
            self.picked = Some(gate());
        }
    }
}
