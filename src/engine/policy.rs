//! What the rules are for one home: built-in < site < plan < home, field by field; and whom a ladder tells, when.

use super::id::{ChannelId, HomeId, LadderId, ResponderId, RotaId, SiteId};
use super::kind::{AlarmKind, Priority};
use super::registry::{Home, Ladder, Medium, Registry, Responder, Rota, Status};
use super::rota::{Calendar, Duty};
use super::site::cold_wave::ColdWave;
use super::time::{Millis, Stamp, Tick, Wall};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

macro_rules! rules {
    ($($n:literal $(#[$doc:meta])* $name:ident = $default:literal ($low:literal..=$high:literal);)*) => {
        /// Every threshold, resolved. The unit is the ending of the name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Rules { $($(#[$doc])* pub $name: u32,)* }

        /// What one level (site, plan, home) says of the thresholds; what it leaves open, the level below decides.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct RulesPatch {
            $($(#[$doc])* #[n($n)] #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<u32>,)*
            /// The ladder of an alarm kind or of a priority, by its word; the kind beats the priority.
            #[n(0)]
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            pub ladder: BTreeMap<Box<str>, LadderId>,
        }

        impl Rules {
            /// PRACTICE's defaults; `config/plans/default.toml` shows the same.
            pub const BUILT_IN: Rules = Rules { $($name: $default,)* };

            fn patch(&mut self, patch: &RulesPatch) {
                $(if let Some(value) = patch.$name { self.$name = value; })*
            }

            /// Name, value and allowed range of every threshold, for documents and messages.
            pub fn table(&self) -> Vec<(&'static str, u32, std::ops::RangeInclusive<u32>)> {
                vec![$((stringify!($name), self.$name, $low..=$high),)*]
            }
        }

        impl RulesPatch {
            /// What is out of range or names no alarm kind, as sentences; empty where all is well.
            pub fn mistakes(&self) -> Vec<String> {
                let mut found = Vec::new();
                $(if let Some(value) = self.$name && !($low..=$high).contains(&value) {
                    found.push(format!("{} is {value}, but must lie in {} to {}", stringify!($name), $low, $high));
                })*
                for word in self.ladder.keys() {
                    if AlarmKind::parse(word).is_none() && !Priority::ALL.iter().any(|p| p.name() == &**word) {
                        found.push(format!("ladder.{word}: no alarm kind and no priority has this name"));
                    }
                }
                found
            }
        }
    };
}

rules! {
    // 0 is the ladder table.
    1 /// Silence of a home, while heard, until the alarm: the cap, whatever was learnt but for `inactivity_few_signs_cap_s`. Seconds.
    inactivity_cap_s = 43_200 (1_800..=172_800);
    2 /// The same where the silence began in the night window. Seconds.
    inactivity_night_cap_s = 50_400 (1_800..=172_800);
    3 /// The same for homes of which only a door is known. Seconds.
    inactivity_door_only_cap_s = 86_400 (1_800..=172_800);
    67 /// Homes of which so little is heard that the caps decide a quarter of the day or of the night (weak cover: few signs) may be silent for
    /// as long as their own past says after four weeks, up to this; the check stays where it is. Nowhere beyond a cap that is shorter than
    /// its default: whoever made it so means it. Seconds; 43,200: the caps alone.
    inactivity_few_signs_cap_s = 64_800 (43_200..=64_800);
    4 /// The quiet check comes at this share of the cap. Percent; 0 switches checks off.
    inactivity_check_percent = 70 (0..=99);
    5 /// Start of the night window, minutes after local midnight: who stirs last in it is silent over the night, as the cap by day would end in it.
    night_from_min = 960 (0..=1_439);
    6 /// End of the night window, minutes after local midnight.
    night_to_min = 240 (0..=1_439);
    7 /// A press of the same device within this time neither tells anew nor clears *seen*. Seconds.
    press_merge_s = 5 (0..=60);
    8 /// How long *seen* holds the ladder of a life alarm. Seconds.
    life_seen_lease_s = 180 (30..=3_600);
    9 /// The same for any other alarm. Seconds.
    seen_lease_s = 900 (30..=86_400);
    10 /// *On my way* to a life alarm without a stated time: minutes until arrival.
    life_on_my_way_min = 15 (1..=120);
    11 /// *On my way* to any other alarm: minutes until arrival.
    on_my_way_min = 40 (1..=240);
    12 /// What is added to the stated time of arrival. Minutes.
    on_my_way_grace_min = 5 (0..=60);
    13 /// How long *on site* holds the ladder. Minutes.
    on_site_lease_min = 30 (5..=240);
    55 /// Somebody is to be at the door of whoever calls for help so long after the call: what the console shows as the goal. Minutes; 0: no goal.
    on_site_goal_min = 15 (0..=240);
    63 /// Nobody is there after so long: *seen* and *on my way* hold the ladder no longer, and everybody is told again. Minutes; 0: never.
    on_site_breach_min = 45 (0..=480);
    14 /// The one hold of an alarm. Seconds.
    hold_s = 60 (10..=600);
    15 /// How many false alarms of inactivity a home may have in a hundred months: learning keeps it, below the caps. 0: the caps alone.
    inactivity_alarms_per_100_months = 25 (0..=10_000);
    16 /// The same for quiet checks.
    inactivity_checks_per_100_months = 100 (0..=40_000);
    17 /// In the first days of a home silence only brings checks and, at the cap, the alarm. Days with activity.
    inactivity_settling_days = 7 (3..=60);
    18 /// Of somebody who has left: a quiet check after so long at the latest. Seconds.
    out_check_s = 28_800 (3_600..=72_000);
    19 /// The same, at this time at the latest. Minutes after local midnight.
    out_check_at_min = 1_260 (0..=1_439);
    20 /// What is added to the outing that nineteen of twenty do not exceed, until the check. Seconds.
    out_check_grace_s = 3_600 (0..=28_800);
    21 /// Of somebody who has left: the alarm comes at a quarter more than the longest outing that is known, but not before, nor before it
    /// would for who is at home. Seconds.
    out_earliest_s = 43_200 (1_800..=86_400);
    22 /// And not after: the cap, whatever was learnt. Seconds.
    out_cap_s = 72_000 (1_800..=86_400);
    23 /// After an outage: until somebody has to look after a home of which nothing was heard since it is heard again. Seconds.
    outage_call_s = 3_600 (300..=86_400);
    24 /// The same from the beginning of the outage, whichever is first. Seconds.
    outage_longest_s = 14_400 (1_800..=172_800);
    25 /// Nobody is called for it before this time of day, minutes after local midnight,
    outage_call_from_min = 480 (0..=1_439);
    26 /// or after this one.
    outage_call_to_min = 1_320 (0..=1_439);
    27 /// A home of which not even the radio is heard is unheard after twice its longest pause of the last days, at the earliest after
    /// so long. Seconds; 0: never.
    radio_least_s = 2_700 (0..=90_000);
    28 /// In the bathroom, and nothing stirs elsewhere: until the check, by motion not before the home's longest such stay. Seconds; 0: never.
    bathroom_check_s = 2_700 (0..=43_200);
    29 /// The same until the alarm.
    bathroom_s = 4_500 (0..=43_200);
    30 /// Out by the entrance door at night and not back: until the alarm. Seconds; 0: never, which is the default but for people with
    /// dementia: who else goes out before dawn has been seen to be fine once a month or two.
    wandering_s = 0 (0..=14_400);
    31 /// From and
    wandering_from_min = 1_380 (0..=1_439);
    32 /// until when that is night. Minutes after local midnight.
    wandering_to_min = 270 (0..=1_439);
    33 /// The bed was left at night, and then nobody stirs: until the alarm. Seconds; 0: never.
    bed_left_s = 2_700 (0..=28_800);
    34 /// From and
    bed_from_min = 1_320 (0..=1_439);
    35 /// until when that is night. Minutes after local midnight.
    bed_to_min = 330 (0..=1_439);
    36 /// The entrance door stands open: until the alarm. Seconds; 0: never, which is the default but for people with dementia.
    door_open_s = 0 (0..=43_200);
    37 /// Nobody is up, and nineteen of twenty mornings somebody is: until the check. Seconds; 0: never.
    not_up_grace_s = 3_600 (0..=28_800);
    38 /// Cold and heat: how long it has to last. Seconds; 0: never.
    climate_s = 7_200 (0..=86_400);
    39 /// Colder than this is listed, °C,
    cold_check_c = 9 (0..=25);
    40 /// and colder than this alarmed.
    cold_c = 5 (0..=25);
    41 /// As warm as this is listed, °C,
    heat_check_c = 32 (20..=60);
    42 /// and as warm as this alarmed.
    heat_c = 35 (20..=60);
    43 /// A radar says that somebody may have fallen, which is a check, and nobody moves: until it is a call for help. Seconds; 0: never.
    fall_still_s = 60 (0..=3_600);
    44 /// Less than ten litres of water: until the check; with a second sign (a silence that is asked after) it is an alarm. Seconds; 0: never.
    no_water_s = 86_400 (0..=604_800);
    45 /// Water runs without a pause: until the alarm. Seconds; 0: never.
    water_running_s = 7_200 (0..=86_400);
    46 /// Whether motion, presence and the bed in the bedroom show that somebody stirs; 0 for who cannot leave the bed, of whom only others in the
    /// home tell anything.
    bedroom_tells = 1 (0..=1);
    47 /// Vital signs beyond their bounds: until the alarm. Seconds; 0: never, which is the default, since they are a flood (PRACTICE).
    vital_s = 0 (0..=3_600);
    48 /// The heart rate's bounds, a minute,
    heart_low = 40 (0..=100);
    49 /// at most,
    heart_high = 130 (60..=250);
    50 /// and those of breathing.
    breath_low = 8 (0..=20);
    51 /// at most.
    breath_high = 30 (15..=80);
    52 /// How many people who can be reached have to stand on the ladder of a life alarm at any hour. 0: nobody looks.
    responders_life = 2 (0..=20);
    53 /// The same of an alarm of welfare.
    responders_welfare = 1 (0..=20);
    54 /// By how many kinds of medium, of webhook, chat, SMS and voice, they can be reached together, at least.
    responder_media = 2 (1..=4);
    65 /// When what is technical and can wait is told, in one message. Minutes after local midnight,
    technical_at_min = 540 (0..=1_439);
    66 /// and when again.
    technical_again_at_min = 900 (0..=1_439);
    64 /// Nobody is at the console for a minute while a call for help waits: whether its ladder climbs by itself, whatever its first rung
    /// would wait.
    empty_desk_climbs = 1 (0..=1);
    56 /// Cooled since the warmest of the last day by so much more than what is usual among the site's homes, as long as `climate_s`: until
    /// the alarm. °C; 0: never.
    cold_fall_c = 4 (0..=15);
    57 /// And not where a room has this temperature: below it a home is too cold for old people (WHO, Housing and health guidelines). °C.
    cold_fall_below_c = 18 (5..=25);
    58 /// Whether the home is owed an online visit (a call, a video) on every day.
    online_visits_daily = 0 (0..=1);
    59 /// How many visits at the door it is owed from Monday to Sunday,
    home_visits_a_week = 0 (0..=7);
    60 /// and how many in a calendar month.
    home_visits_a_month = 0 (0..=31);
    61 /// When the list of what is due by the end of the day is told (`visit_due`). Minutes after local midnight.
    visits_due_at_min = 960 (0..=1_439);
    62 /// When what is due and still not made is missed (`visit_missed`). Minutes after local midnight.
    visits_missed_at_min = 1_050 (0..=1_439);
}

/// A channel that reaches somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    pub channel: ChannelId,
    pub medium: Medium,
}

/// The people of a site, each with the channels that reach them, best first; channels that the site does not have are left out.
pub type People = BTreeMap<ResponderId, Vec<Reach>>;

/// One rung as the home machine sees it: who is told depends on the time.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedRung {
    pub name: Box<str>,
    pub wait: Millis,
    to: Vec<ResponderId>,
    rotas: Vec<Arc<Duty>>,
    people: Arc<People>,
}

impl ResolvedRung {
    /// Who is told at a moment, in order, each once: whom it names, and whoever is on duty then.
    pub fn people(&self, at: Wall) -> Vec<(&ResponderId, &[Reach])> {
        let on_duty = self.rotas.iter().flat_map(|rota| rota.at(at));
        let mut told: Vec<(&ResponderId, &[Reach])> = Vec::new();
        for id in self.to.iter().chain(on_duty) {
            if let Some((id, reach)) = self.people.get_key_value(id)
                && !told.iter().any(|(known, _)| *known == id)
            {
                told.push((id, reach));
            }
        }
        told
    }

    /// Whom of them a channel reaches, in order.
    pub fn reached_by(&self, channel: &ChannelId, at: Wall) -> impl Iterator<Item = &ResponderId> {
        let reached = self.people(at).into_iter().filter(|(_, reach)| reach.iter().any(|one| one.channel == *channel));
        reached.map(|(id, _)| id)
    }

    /// The channels by which they are told, each once. None where nobody of the rung can be reached: it is skipped at once.
    pub fn channels(&self, at: Wall) -> Vec<&ChannelId> {
        let mut channels = Vec::new();
        for reach in self.people(at).into_iter().flat_map(|(_, reach)| reach) {
            if !channels.contains(&&reach.channel) {
                channels.push(&reach.channel);
            }
        }
        channels
    }

    /// Whether anybody can be told at a moment.
    pub fn reaches_somebody(&self, at: Wall) -> bool {
        self.people(at).iter().any(|(_, reach)| !reach.is_empty())
    }

    /// The rotas that it names and the site has.
    pub fn rotas(&self) -> &[Arc<Duty>] {
        &self.rotas
    }
}

/// Tells nobody; looked at again daily.
pub static SILENT: ResolvedLadder =
    ResolvedLadder { id: None, caseworker: None, rungs: Vec::new(), repeat: Millis::from_mins(24 * 60) };

/// A ladder in people. Without any rung nobody is told, the console alone shows the alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedLadder {
    /// None: there is no ladder.
    pub id: Option<LadderId>,
    /// Whose homes it is for, where a rung names the home's caseworker.
    pub caseworker: Option<ResponderId>,
    pub rungs: Vec<ResolvedRung>,
    pub repeat: Millis,
}

impl ResolvedLadder {
    /// Whether nobody at all can be reached by it at a moment.
    pub fn reaches_nobody(&self, at: Wall) -> bool {
        !self.rungs.iter().any(|rung| rung.reaches_somebody(at))
    }

    /// The channels that reach somebody of the site, whether the ladder names them or not; none where it has no rung.
    pub fn reach_of(&self, who: &ResponderId) -> &[Reach] {
        self.rungs.first().and_then(|rung| rung.people.get(who)).map_or(&[], Vec::as_slice)
    }

    /// The moments after `from` and before `to` at which it may tell others than before, in order.
    pub fn changes(&self, from: Wall, to: Wall) -> Vec<Wall> {
        let rotas = self.rungs.iter().flat_map(|rung| &rung.rotas);
        let all: BTreeSet<Wall> = rotas.flat_map(|rota| rota.changes(from, to)).collect();
        all.into_iter().collect()
    }
}

/// What one home is decided by.
#[derive(Debug, Clone)]
pub struct HomePolicy {
    pub site: SiteId,
    pub home: HomeId,
    /// False for a pseudo-home of an unregistered device.
    pub claimed: bool,
    pub status: Status,
    pub rules: Rules,
    pub zone: jiff::tz::TimeZone,
    /// The cold wave of its site that was entered last; over once its end has come.
    pub cold_wave: Option<ColdWave>,
    /// By kind; and of what can wait, whether a ladder is named for it.
    ladders: Vec<(Arc<ResolvedLadder>, bool)>,
}

impl HomePolicy {
    /// Whether anybody is to be asked about the people of the home: it is registered, and nobody has paused or left it.
    pub fn is_watched(&self) -> bool {
        self.claimed && self.status == Status::Active
    }

    /// The ladder of an alarm kind.
    pub fn ladder(&self, kind: AlarmKind) -> &ResolvedLadder {
        &self.ladders[kind as usize].0
    }

    /// Whether alarms of a kind wait for the hours at which they are told in one message.
    pub fn waits_for_its_hour(&self, kind: AlarmKind) -> bool {
        kind.can_wait() && !self.ladders[kind as usize].1
    }

    /// When an alarm of a kind that waits is told; none where it is told at once.
    pub fn told_at(&self, kind: AlarmKind, now: Stamp) -> Option<Tick> {
        // Every ladder asks: what waits for no hour costs no calendar.
        if !self.waits_for_its_hour(kind) {
            return None;
        }
        let after = now.wall + Millis(1);
        let times = [self.rules.technical_at_min, self.rules.technical_again_at_min];
        let next = times.into_iter().map(|minute| after.next_at(&self.zone, minute)).min();
        next.map(|at| now.tick + at.since(now.wall))
    }
}

/// What the configuration says of a site.
#[derive(Debug, Clone)]
pub struct SiteRules {
    pub site: SiteId,
    pub zone: jiff::tz::TimeZone,
    pub rules: RulesPatch,
}

/// The word that stands on a rung for the home's own caseworker. Of a home that names none it is the responder of this id, if there is one.
pub const CASEWORKER: &str = "caseworker";

/// The responders who stand for the home's own people: whoever lives there, and the family. They are called through channels that may have
/// personal data, at the home's own phones. They may be told and may say how it is, but it is nobody's duty: no proof of who is there counts them.
pub const HOMES_OWN: [&str; 2] = ["resident", "family"];

/// Whether a responder stands for the home's own people.
pub fn is_of_the_home(id: &ResponderId) -> bool {
    HOMES_OWN.contains(&id.as_str())
}

/// Resolves policies of a site; ladders are shared between homes, and those that name the home's caseworker between the caseworker's homes.
pub struct Resolver<'a> {
    site: &'a SiteRules,
    registry: &'a Registry,
    cold_wave: Option<&'a ColdWave>,
    ladders: BTreeMap<LadderId, Arc<ResolvedLadder>>,
    /// Those that name the home's caseworker, for the homes of each.
    own: RefCell<BTreeMap<(LadderId, ResponderId), Arc<ResolvedLadder>>>,
    silent: Arc<ResolvedLadder>,
}

impl<'a> Resolver<'a> {
    /// For a site on which no cold wave lies.
    pub fn new(site: &'a SiteRules, registry: &'a Registry) -> Self {
        let (people, duties) = (Arc::new(people(registry)), duties(site, registry));
        let resolved = |ladder: &Ladder| Arc::new(resolve_ladder(ladder, &people, &duties));
        let ladders = registry.ladders.values().map(|l| (l.id.clone(), resolved(l))).collect();
        let (cold_wave, silent, own) = (None, Arc::new(SILENT.clone()), RefCell::default());
        Resolver { site, registry, cold_wave, ladders, own, silent }
    }

    /// The same with the site's cold wave.
    pub fn in_cold_wave(self, cold_wave: Option<&'a ColdWave>) -> Self {
        Resolver { cold_wave, ..self }
    }

    /// The policy of a registered home.
    pub fn home(&self, home: &Home) -> HomePolicy {
        let plan = home.plan.as_ref().and_then(|p| self.registry.plans.get(p)).map(|p| &p.rules);
        let levels = [Some(&self.site.rules), plan, Some(&home.rules)];
        self.resolve(home.id.clone(), Some(home), &levels)
    }

    /// The policy of a home that nobody registered: the site's.
    pub fn pseudo(&self, id: HomeId) -> HomePolicy {
        self.resolve(id, None, &[Some(&self.site.rules)])
    }

    fn resolve(&self, id: HomeId, home: Option<&Home>, levels: &[Option<&RulesPatch>]) -> HomePolicy {
        let mut rules = Rules::BUILT_IN;
        let mut names: BTreeMap<&str, &LadderId> = BTreeMap::new();
        for patch in levels.iter().copied().flatten() {
            rules.patch(patch);
            names.extend(patch.ladder.iter().map(|(word, id)| (&**word, id)));
        }
        let caseworker = home.and_then(|home| home.caseworker.as_ref());
        let ladder_of = |kind: &AlarmKind| {
            let general = if kind.is_check() { None } else { names.get(kind.priority().name()) };
            let own = names.get(kind.name());
            let named = own.or(general).and_then(|id| self.ladders.get_key_value(*id));
            let ladder = named.map(|(id, ladder)| self.of_caseworker(id, ladder, caseworker));
            (ladder.unwrap_or_else(|| self.silent.clone()), own.is_some())
        };
        HomePolicy {
            site: self.site.site.clone(),
            home: id,
            claimed: home.is_some(),
            status: home.map_or(Status::Active, |home| home.status),
            rules,
            zone: self.site.zone.clone(),
            cold_wave: self.cold_wave.cloned(),
            ladders: AlarmKind::ALL.iter().map(ladder_of).collect(),
        }
    }

    /// A ladder as it is for the homes of a caseworker.
    fn of_caseworker(
        &self,
        id: &LadderId,
        ladder: &Arc<ResolvedLadder>,
        caseworker: Option<&ResponderId>,
    ) -> Arc<ResolvedLadder> {
        let names_one = || ladder.rungs.iter().flat_map(|rung| &rung.to).any(|to| to.as_str() == CASEWORKER);
        let Some(own) = caseworker.filter(|_| names_one()) else { return ladder.clone() };
        let mut known = self.own.borrow_mut();
        let copy = known.entry((id.clone(), own.clone()));
        copy.or_insert_with(|| Arc::new(with_caseworker(ladder, own))).clone()
    }
}

/// The same where the word for the home's caseworker means this one.
fn with_caseworker(ladder: &ResolvedLadder, own: &ResponderId) -> ResolvedLadder {
    let to = |to: &ResponderId| if to.as_str() == CASEWORKER { own.clone() } else { to.clone() };
    let rung = |rung: &ResolvedRung| ResolvedRung { to: rung.to.iter().map(to).collect(), ..rung.clone() };
    let (rungs, caseworker) = (ladder.rungs.iter().map(rung).collect(), Some(own.clone()));
    ResolvedLadder { rungs, caseworker, ..ladder.clone() }
}

fn people(registry: &Registry) -> People {
    let reach = |id: &ChannelId| {
        let channel = registry.channels.get(id)?;
        Some(Reach { channel: id.clone(), medium: channel.medium() })
    };
    let of = |one: &Responder| one.channels.iter().filter_map(reach).collect();
    registry.responders.values().map(|one| (one.id.clone(), of(one))).collect()
}

/// The rotas of a site, each with what decides who is on duty.
pub fn duties(site: &SiteRules, registry: &Registry) -> BTreeMap<RotaId, Arc<Duty>> {
    let rotas = || registry.rotas.values().filter(|rota| rota.site == site.site);
    let calendar = Arc::new(Calendar::of(rotas()));
    let duty = |rota: &Rota| Arc::new(Duty::new(rota, &site.zone, calendar.clone()));
    rotas().map(|rota| (rota.id.clone(), duty(rota))).collect()
}

fn resolve_ladder(ladder: &Ladder, people: &Arc<People>, duties: &BTreeMap<RotaId, Arc<Duty>>) -> ResolvedLadder {
    let rungs = ladder.rungs.iter().map(|rung| ResolvedRung {
        name: rung.name.clone(),
        wait: Millis::from_secs(rung.wait_s.into()),
        to: rung.to.clone(),
        rotas: rung.rotas.iter().filter_map(|id| duties.get(id).cloned()).collect(),
        people: people.clone(),
    });
    let repeat = Millis::from_secs(ladder.repeat_s.max(10).into());
    ResolvedLadder { id: Some(ladder.id.clone()), caseworker: None, rungs: rungs.collect(), repeat }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::registry::{Channel, ChannelDialect, Rung};
    use crate::engine::sealed::Sealed;
    use crate::engine::staffing::{Lack, gaps_of};

    #[test]
    fn a_technical_alarm_climbs_the_ladder_of_its_priority_and_a_check_only_its_own() {
        let rung = Rung { name: "desk".into(), to: Vec::new(), wait_s: 60, rotas: Vec::new() };
        let ladder = |id: &str| Ladder {
            id: LadderId::new(id).unwrap(),
            site: SiteId::new("z").unwrap(),
            rungs: vec![rung.clone()],
            repeat_s: 600,
        };
        let mut registry = Registry::default();
        ["desk", "quiet"].map(ladder).into_iter().for_each(|l| _ = registry.ladders.insert(l.id.clone(), l));
        let named = [("technical", "desk"), ("welfare", "desk"), ("inactivity_check", "quiet")];
        let named = named.map(|(word, id)| (word.into(), LadderId::new(id).unwrap()));
        let rules = RulesPatch { ladder: named.into_iter().collect(), ..RulesPatch::default() };
        let site = SiteRules { site: SiteId::new("z").unwrap(), zone: jiff::tz::TimeZone::UTC, rules };
        let policy = Resolver::new(&site, &registry).pseudo(HomeId::new("h").unwrap());
        let climbs = |kind| !policy.ladder(kind).rungs.is_empty();
        use AlarmKind::*;
        assert!([Outage, HomeUnheard, BatteryLow, Inactivity, InactivityCheck].into_iter().all(climbs));
        assert!(![NotUpCheck, BathroomCheck, ColdCheck, HeatCheck, Sos, Leak].into_iter().any(climbs));
    }
    #[test]
    fn a_rung_for_the_caseworker_tells_the_homes_own() {
        let site = || SiteId::new("z").unwrap();
        let person = |name: &str| ResponderId::new(name).unwrap();
        let channel = |name: &str| ChannelId::new(name).unwrap();
        let mut registry = Registry::default();
        let mut meets = |name: &str| {
            let of = Channel::new(channel(name), site(), ChannelDialect::Standard, "https://x", "env:X");
            let details = Sealed::from_bytes(Vec::new());
            let one = Responder { id: person(name), site: site(), channels: vec![channel(name)], details };
            registry.channels.insert(of.id.clone(), of);
            registry.responders.insert(one.id.clone(), one);
        };
        ["zhang", "li", "lead"].into_iter().for_each(&mut meets);
        let to = |who: &[&str]| who.iter().map(|one| person(one)).collect();
        let rung = |who: &[&str]| Rung { name: "r".into(), to: to(who), wait_s: 60, rotas: Vec::new() };
        let (id, repeat_s) = (LadderId::new("welfare").unwrap(), 600);
        let rungs = vec![rung(&["caseworker"]), rung(&["lead", "caseworker"])];
        registry.ladders.insert(id.clone(), Ladder { id: id.clone(), site: site(), rungs, repeat_s });
        let rules = RulesPatch { ladder: [("welfare".into(), id)].into(), ..RulesPatch::default() };
        let rules = SiteRules { site: site(), zone: jiff::tz::TimeZone::UTC, rules };
        let told = |registry: &Registry, own: Option<&str>| -> Vec<Vec<String>> {
            let home = Home { caseworker: own.map(person), ..Home::new(HomeId::new("h").unwrap(), site()) };
            let policy = Resolver::new(&rules, registry).home(&home);
            let names = |rung: &ResolvedRung| rung.channels(Wall(0)).iter().map(|id| id.to_string()).collect();
            policy.ladder(AlarmKind::Inactivity).rungs.iter().map(names).collect()
        };
        assert_eq!(told(&registry, Some("zhang")), [vec!["zhang"], vec!["lead", "zhang"]]);
        assert_eq!(told(&registry, Some("li")), [vec!["li"], vec!["lead", "li"]]);
        assert_eq!(told(&registry, None), [vec![], vec!["lead"]]);
        // The proof of who is told tells the homes of one from those of nobody.
        let mut homes = registry.clone();
        for (id, own) in [("h", Some("zhang")), ("i", None), ("j", Some("li"))] {
            let home = Home { caseworker: own.map(person), ..Home::new(HomeId::new(id).unwrap(), site()) };
            homes.homes.insert(home.id.clone(), home);
        }
        let (responders_life, responders_welfare, responder_media) = (Some(0), Some(2), Some(1));
        let two = RulesPatch { responders_life, responders_welfare, responder_media, ..rules.rules.clone() };
        let found = gaps_of(&SiteRules { rules: two, ..rules.clone() }, &homes, Wall(0));
        let found: Vec<_> = found.iter().map(|gap| (gap.homes.clone(), gap.lacks.clone())).collect();
        assert_eq!(found, [(vec![HomeId::new("i").unwrap()], vec![Lack::TooFew])]);
        // Somebody of that very name stands for the homes that name nobody.
        let mut meets = |name: &str, at: &str| {
            let details = Sealed::from_bytes(Vec::new());
            let one = Responder { id: person(name), site: site(), channels: vec![channel(at)], details };
            registry.responders.insert(one.id.clone(), one);
        };
        meets("caseworker", "li");
        assert_eq!(told(&registry, None), [vec!["li"], vec!["lead", "li"]]);
        assert_eq!(told(&registry, Some("zhang")), [vec!["zhang"], vec!["lead", "zhang"]]);
    }

    #[test]
    fn the_homes_own_people_are_told_and_count_nowhere() {
        let (site, channel) = (SiteId::new("z").unwrap(), ChannelId::new("call").unwrap());
        let mut registry = Registry::default();
        let voice = Channel::new(channel.clone(), site.clone(), ChannelDialect::Template, "https://x", "");
        registry.channels.insert(channel.clone(), Channel { medium: Some(Medium::Voice), ..voice });
        for name in ["resident", "family", "lead"] {
            let details = Sealed::from_bytes(Vec::new());
            let id = ResponderId::new(name).unwrap();
            let one = Responder { id: id.clone(), site: site.clone(), channels: vec![channel.clone()], details };
            registry.responders.insert(id, one);
        }
        let home = Home::new(HomeId::new("h").unwrap(), site.clone());
        registry.homes.insert(home.id.clone(), home.clone());
        let id = LadderId::new("life").unwrap();
        let (responders_life, responders_welfare, responder_media) = (Some(1), Some(0), Some(1));
        let ladder = [("life".into(), id.clone())].into();
        let rules =
            RulesPatch { ladder, responders_life, responders_welfare, responder_media, ..RulesPatch::default() };
        let rules = SiteRules { site: site.clone(), zone: jiff::tz::TimeZone::UTC, rules };
        let table: [(&[&str], &[Lack]); 3] =
            [(&["resident", "family"], &[Lack::Nobody]), (&["family", "lead"], &[]), (&["lead"], &[])];
        for (who, expected) in table {
            let to = who.iter().map(|name| ResponderId::new(name).unwrap()).collect();
            let rungs = vec![Rung { name: "r".into(), to, wait_s: 60, rotas: Vec::new() }];
            registry.ladders.insert(id.clone(), Ladder { id: id.clone(), site: site.clone(), rungs, repeat_s: 600 });
            let policy = Resolver::new(&rules, &registry).home(&home);
            assert_eq!(policy.ladder(AlarmKind::Sos).rungs[0].people(Wall(0)).len(), who.len(), "{who:?}");
            let lacks: Vec<Lack> = gaps_of(&rules, &registry, Wall(0)).into_iter().flat_map(|gap| gap.lacks).collect();
            assert_eq!(lacks, expected, "{who:?}");
        }
    }
}
