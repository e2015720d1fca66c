//! Circuits of gates with up to three inputs, kept as text, checked against the truth tables of a box.

use std::fmt;

/// The inputs of a box; gates are numbered after them.
pub const INPUTS: usize = 6;

/// Tables of the two-input gates, numbered as `vpternlog` numbers its own: bit 4a + 2b + c is the value for a, b, c.
pub const AND: u8 = 0xc0;
/// a or b.
pub const OR: u8 = 0xfc;
/// a exclusive or b.
pub const XOR: u8 = 0x3c;
/// a and not b.
pub const ANDN: u8 = 0x30;
/// not a.
pub const NOT: u8 = 0x0f;

/// What gates there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// AND, OR, XOR, NOT and ANDN.
    Gates,
    /// Any function of three inputs.
    Lookups,
}

impl Set {
    /// Both sets.
    pub const ALL: [Self; 2] = [Self::Gates, Self::Lookups];

    /// The name on the command line and of the folder.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gates => "gates",
            Self::Lookups => "lookups",
        }
    }
}

/// One gate: its table and the nodes it reads. Gates with fewer inputs name the last one again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The value for each of the eight combinations of the inputs.
    pub table: u8,
    /// The nodes a, b and c.
    pub from: [usize; 3],
}

/// Gates in an order in which each reads only inputs and earlier gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Node `INPUTS + i` is gate `i`.
    pub gates: Vec<Gate>,
    /// The nodes of the four outputs.
    pub outputs: [usize; 4],
}

/// The truth table of a gate over those of its inputs.
#[must_use]
pub fn apply(table: u8, a: u64, b: u64, c: u64) -> u64 {
    match table {
        AND => a & b,
        OR => a | b,
        XOR => a ^ b,
        ANDN => a & !b,
        NOT => !a,
        _ => {
            let cell = |cell: u8| 0_u64.wrapping_sub(u64::from(table >> cell & 1));
            let choose = |by: u64, one: u64, zero: u64| (one & by) | (zero & !by);
            let half = |low: u8| {
                choose(b, choose(c, cell(low + 3), cell(low + 2)), choose(c, cell(low + 1), cell(low)))
            };
            choose(a, half(4), half(0))
        }
    }
}

impl Circuit {
    /// The truth tables of all nodes.
    #[must_use]
    pub fn simulate(&self) -> Vec<u64> {
        let mut values = crate::tables::inputs().to_vec();
        for gate in &self.gates {
            let [a, b, c] = gate.from;
            values.push(apply(gate.table, values[a], values[b], values[c]));
        }
        values
    }

    /// Whether the circuit computes these outputs with gates of this set.
    #[must_use]
    pub fn computes(&self, set: Set, outputs: [u64; 4]) -> bool {
        let ordered =
            self.gates.iter().enumerate().all(|(i, gate)| gate.from.iter().all(|f| *f < INPUTS + i));
        let allowed = |gate: &Gate| {
            set == Set::Lookups
                || matches!(gate.table, AND | OR | XOR | ANDN | NOT) && gate.from[1] == gate.from[2]
        };
        ordered && self.gates.iter().all(allowed) && {
            let values = self.simulate();
            self.outputs.map(|node| values.get(node).copied()) == outputs.map(Some)
        }
    }

    /// The same circuit without gates that nothing reads, each gate as late after its inputs as a depth-first walk
    /// from the outputs puts it. `None` when gates read each other in a circle.
    #[must_use]
    pub fn tidied(&self) -> Option<Self> {
        let mut tidied = Self { gates: Vec::with_capacity(self.gates.len()), outputs: self.outputs };
        let mut places = vec![Place::New; INPUTS + self.gates.len()];
        for (input, place) in places.iter_mut().take(INPUTS).enumerate() {
            *place = Place::At(input);
        }
        for output in 0..4 {
            tidied.outputs[output] = tidied.put(self, self.outputs[output], &mut places)?;
        }
        Some(tidied)
    }

    fn put(&mut self, source: &Self, node: usize, places: &mut [Place]) -> Option<usize> {
        match places[node] {
            Place::At(place) => return Some(place),
            Place::Open => return None,
            Place::New => places[node] = Place::Open,
        }
        let gate = source.gates[node - INPUTS];
        let mut from = [0; 3];
        for (to, read) in from.iter_mut().zip(gate.from) {
            *to = self.put(source, read, places)?;
        }
        self.gates.push(Gate { table: gate.table, from });
        let place = INPUTS + self.gates.len() - 1;
        places[node] = Place::At(place);
        Some(place)
    }

    /// Reads what `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mut gates, mut outputs) = (Vec::new(), None);
        for line in text.lines() {
            let mut words = line.split(' ');
            let head = words.next()?;
            let nodes: Vec<usize> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
            match head {
                "out" => outputs = Some(nodes.try_into().ok()?),
                table => gates
                    .push(Gate { table: u8::from_str_radix(table, 16).ok()?, from: nodes.try_into().ok()? }),
            }
        }
        Some(Self { gates, outputs: outputs? })
    }
}

impl fmt::Display for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Gate { table, from: [a, b, c] } in &self.gates {
            writeln!(f, "{table:02x} {a} {b} {c}")?;
        }
        let [a, b, c, d] = self.outputs;
        writeln!(f, "out {a} {b} {c} {d}")
    }
}

#[derive(Clone, Copy)]
enum Place {
    New,
    Open,
    At(usize),
}
