//! A run at random: two sites, their users, and faults of wire, process, disk and clock; then the faults end, and all
//! must come to rest as if there had been none.

use super::check::{check, check_hosts};
use super::keys::Name;
use super::process::{Outcome, Pair, Way};
use super::proxy::{Fate, STRANGERS};
use super::random::Random;

/// How often the sites may try before all must have come to its end.
const ROUNDS: usize = 8;

/// What a run was made of.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) packages: usize,
    pub(crate) deaths: usize,
    /// Whether the packages went through drop folders.
    pub(crate) dropped: usize,
}

struct Story {
    random: Random,
    pair: Pair,
    way: Way,
    /// Claims that users know, by their ids.
    claims: Vec<String>,
    made: usize,
}

/// Plays the run that follows from this seed.
pub(crate) fn play(seed: u64) -> Told {
    let mut random = Random::from_seed(seed);
    let robot = random.in_a_hundred(30);
    let way = if random.in_a_hundred(30) { Way::DropFolder } else { Way::Https };
    let mut story = Story { random, pair: Pair::new(robot, way), way, claims: Vec::new(), made: 0 };
    for name in Name::BOTH {
        story.claim(name);
        story.claim(name);
    }
    for _ in 0..story.random.below(20) + 10 {
        story.step();
    }
    story.settle();
    for name in Name::BOTH {
        for claim in story.claims.clone() {
            // Not here, where its first package was rejected.
            story.pair.site(name).order(&format!("export {claim}"));
        }
    }
    story.come_to_rest();
    let deaths = story.pair.sites.iter().map(|site| site.deaths).sum();
    story.pair.end();
    check_hosts(&story.pair);
    Told { packages: check(story.pair.folder.path()), deaths, dropped: usize::from(way == Way::DropFolder) }
}

/// What a site has to tell since its clock was a day ahead, each at another moment, is told in one go.
pub(crate) fn events_from_a_clock_ahead() {
    let mut pair = Pair::new(false, Way::Https);
    let site = pair.site(Name::Insurer);
    site.must("clock 86400");
    let claim = site.must("claim C-1");
    for number in 1..=4 {
        site.must(&format!("clock {}", 86_400 + number));
        site.must(&format!("note {claim} N-{number}"));
        site.must(&format!("export {claim}"));
    }
    site.must("clock 0");
    assert_eq!(site.must("hooks"), "0", "so many still wait");
    pair.end();
    check_hosts(&pair);
}

impl Story {
    fn claim(&mut self, name: Name) {
        self.made += 1;
        let order = format!("claim C-{}", self.made);
        if let Outcome::Done(id) = self.pair.site(name).order(&order) {
            if self.random.in_a_hundred(50) {
                // So large that it is sent as an upload.
                self.pair.site(name).order(&format!("document {id} D-{} 50000", self.made));
            }
            if self.random.in_a_hundred(50) {
                // Known on both sides, so that both have something to say of it.
                self.pair.site(name).order(&format!("export {id}"));
                self.pair.site(name).order("push");
                self.pair.site(name.other()).order("collect");
                self.pair.site(name.other()).order("unpack");
            }
            self.claims.push(id);
        }
    }

    /// One thing that a user does, under a fault or without one.
    fn step(&mut self) {
        let name = self.random.one_of(&Name::BOTH);
        self.pair.site(name).revive();
        self.pair.site(name.other()).revive();
        if self.random.in_a_hundred(60) {
            self.something_breaks(name);
        }
        if self.way == Way::DropFolder && self.random.in_a_hundred(50) {
            self.pair.site(name).order("collect");
        }
        let order = self.order(name);
        if order == "push" && self.way == Way::Https && self.random.in_a_hundred(15) {
            self.push_stands_still(name);
        } else {
            self.pair.site(name).order(&order);
            if order.starts_with("export") && self.random.in_a_hundred(50) {
                self.pair.site(name).order("push");
            }
        }
        if self.random.in_a_hundred(50) {
            for name in Name::BOTH {
                self.pair.site(name).order("arm");
            }
        }
    }

    /// Something that a user of this site does.
    fn order(&mut self, name: Name) -> String {
        self.made += 1;
        let made = self.made;
        let claim = self.claims[self.random.below(self.claims.len())].clone();
        let owns = claim.starts_with(name.site().as_str());
        match self.random.below(100) {
            0..20 => format!("export {claim}"),
            20..28 => format!("notes {claim}"),
            28..52 => "push".to_owned(),
            52..67 => "unpack".to_owned(),
            67..72 => "ask".to_owned(),
            72..82 => format!("note {claim} N-{made}"),
            82..88 => {
                let size = self.random.one_of(&[1, 300, 4000, 30_000, 130_000]);
                format!("document {claim} D-{made} {}", size + self.random.below(size))
            }
            88..92 if owns => format!("status {claim} {made}"),
            92..94 => "reject".to_owned(),
            94..96 => "retry".to_owned(),
            96..97 => "replay".to_owned(),
            97..98 => "hooks".to_owned(),
            _ => format!("note {claim} N-{made}"),
        }
    }

    /// While a push stands half way, the other site goes on.
    fn push_stands_still(&mut self, name: Name) {
        let after = self.random.below(2000);
        let proxy = self.pair.site(name.other()).proxy.clone();
        proxy.next(Fate::Stalls(after));
        self.pair.site(name).begin("push");
        let meanwhile = self.random.one_of(&["unpack", "push", "ask", "reject"]);
        self.pair.site(name.other()).order(meanwhile);
        proxy.go_on();
        self.pair.site(name).finish();
    }

    /// A fault, more often at the site that acts than at the other.
    fn something_breaks(&mut self, acting: Name) {
        let name = if self.random.in_a_hundred(60) { acting } else { acting.other() };
        let most = self.random.below(16) + 1;
        let nth = self.random.below(most) + 1;
        match self.random.below(100) {
            0..35 => {
                self.pair.site(name).order(&format!("arm *=kill@{nth}"));
            }
            35..55 => {
                let fate = self.random.one_of(&["full", "broken", "readonly"]);
                let lasting = if self.random.in_a_hundred(50) { "!" } else { "" };
                self.pair.site(name).order(&format!("arm *={fate}@{nth}{lasting}"));
            }
            55..65 => {
                let seconds = self.random.one_of(&[-86_400, -1000, -200, 0, 200, 1000, 86_400]);
                self.pair.site(name).order(&format!("clock {seconds}"));
            }
            65..70 => {
                // It dies while it comes up, or a little later.
                self.pair.site(name).quit();
                let armed = format!("*=kill@{}", nth.div_ceil(4));
                self.pair.site(name).start(&[("CLAIMWIRE_FAILPOINTS", &armed)]);
            }
            _ => {
                let most = self.random.one_of(&[13, 18]);
                let bytes = 1 << self.random.below(most);
                let bytes = bytes + self.random.below(bytes);
                let fate = match self.random.below(10) {
                    0 => Fate::IsRefused,
                    1..4 => Fate::IsCut(bytes),
                    4 => Fate::AnswerIsCut(bytes),
                    5 => Fate::AnswerIsCut(0),
                    6 | 7 => Fate::ArrivesTwice,
                    8 => Fate::ArrivesLate,
                    _ => Fate::IsAnswered(self.random.one_of(STRANGERS)),
                };
                self.pair.site(name).proxy.next(fate);
            }
        }
    }

    /// The faults end, and the sites come to rest.
    fn settle(&mut self) {
        let restarted = self.random.in_a_hundred(50);
        for site in &mut self.pair.sites {
            if restarted {
                site.quit();
            }
            site.revive();
            site.must("arm");
            // The clocks agree again, so much later that what one of them signed ahead of time lies behind.
            site.must("clock 600");
        }
        for site in &self.pair.sites {
            site.proxy.calm_down();
        }
        self.come_to_rest();
    }

    fn come_to_rest(&mut self) {
        let mut last = Vec::new();
        for _ in 0..ROUNDS {
            last.clear();
            for order in
                ["push", "collect", "retry", "push", "collect", "push", "unpack", "ask", "collect", "hooks"]
            {
                for name in Name::BOTH {
                    last.push((name, order, self.pair.site(name).order(order)));
                }
            }
            if Name::BOTH.into_iter().all(|name| self.pair.site(name).must("open").is_empty()) {
                return;
            }
        }
        let open = Name::BOTH.map(|name| self.pair.site(name).must("open"));
        let said = Name::BOTH.map(|name| self.pair.site(name).said());
        panic!("the sites do not come to rest: {open:#?}\n{last:?}\n{}\n{}", said[0], said[1]);
    }
}
