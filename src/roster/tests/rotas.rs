use super::*;

/// More people, a rota of all that one may have, and a ladder that tells it.
const ROTA: &str = "
[[channel]]
id = 'chat'
site = 'a'
url = 'https://x/chat'
secret = 'file:chat'
medium = 'chat'
[[responder]]
id = 'zhang'
site = 'a'
channels = ['chat']
[[responder]]
id = 'li'
site = 'a'
channels = ['chat']
[[rota]]
id = 'duty'
site = 'a'
timezone = 'Europe/Berlin'
fallback = 'op'
holidays = ['2026-10-02', '2026-10-01', '2026-10-01']
workdays = ['2026-10-10']
[[rota.shift]]
days = ['workday', '周六']
from = '08:00'
to = '18:00'
who = ['zhang', 'li']
[[rota.shift]]
from = '18:00'
to = '08:00'
turns = ['zhang', ['li', 'op']]
every_days = 7
since = '2026-01-05'
[[rota.shift]]
who = ['op']
[[rota.override]]
from = '2026-05-01T08:00'
to = '2026-05-02 24:00'
instead_of = 'zhang'
who = 'li'
[[rota.override]]
from = '2026-05-03T08:00'
to = '2026-05-04T08:00'
who = 'li'
[[ladder]]
id = 'l'
site = 'a'
repeat_s = 120
rung = [{ name = 'duty', rotas = ['duty'], wait_s = 60 }, { name = 'last', to = ['op'], rotas = ['duty'], wait_s = 60 }]
";

fn with_rota() -> Registry {
    done(&[file("rota.toml", ROTA)], &base())
}

#[test]
fn a_rota_is_entered_as_written_and_exported_as_it_is() {
    let registry = with_rota();
    let rota = &registry.rotas["duty"];
    let shown = |one: &dyn std::fmt::Display| one.to_string();
    assert_eq!(rota.zone.as_ref().map(|zone| shown(zone)).as_deref(), Some("Europe/Berlin"));
    assert_eq!(rota.holidays.iter().map(|day| shown(day)).collect::<Vec<_>>(), ["2026-10-01", "2026-10-02"]);
    assert_eq!(rota.shifts.iter().map(|shift| shift.turns.len()).collect::<Vec<_>>(), [1, 2, 1]);
    assert_eq!((rota.shifts[2].from_min, rota.shifts[2].to_min, rota.shifts[2].days.len()), (0, 1_440, 0));
    assert_eq!(shown(&rota.overrides[0].to), "2026-05-03T00:00");
    assert_eq!(registry.ladders["l"].rungs[0].rotas.len(), 1);
    let text = export(&[&registry], &Paper::default()).unwrap();
    assert_eq!(done(&[file("export.toml", &text)], &Registry::default()), registry, "{text}");
    assert!(plan(&[file("export.toml", &text)], &registry).unwrap().difference.is_empty());
}

#[test]
fn what_a_file_leaves_out_of_a_rota_stays_and_a_list_replaces_the_list() {
    let registry = with_rota();
    let changed =
        |text: &str| done(&[file("x.toml", &format!("[[rota]]\nid='duty'\n{text}"))], &registry).rotas["duty"].clone();
    let before = &registry.rotas["duty"];
    assert_eq!(changed(""), *before);
    assert_eq!(changed("override=[]\n").overrides, []);
    assert_eq!(changed("override=[]\n").shifts, before.shifts);
    let cleared = changed("timezone=''\nfallback=''\nholidays=[]\nshift=[{ who=['li'] }]\n");
    assert_eq!((cleared.zone, cleared.fallback, cleared.holidays.len(), cleared.shifts.len()), (None, None, 0, 1));
    assert_eq!((cleared.workdays, cleared.overrides), (before.workdays.clone(), before.overrides.clone()));
}

#[test]
fn mistakes_of_rotas_are_told() {
    let rota = |text: &str| format!("[[rota]]\nid='r'\nsite='a'\n{text}");
    let shift = |text: &str| rota(&format!("[[rota.shift]]\n{text}"));
    let instead = |text: &str| rota(&format!("[[rota.override]]\n{text}"));
    let table = [
        (rota("timezone='Asia/Shanghia'"), "rota[1].timezone: is not valid (no IANA time zone"),
        (rota("holidays=['2026-02-30']"), "rota[1].holidays: is not valid (no day such as 2026-05-01"),
        (rota("fallback='opp'"), "names no responder with \"opp\"; did you mean op?"),
        (rota("workdays=['2026-10-01']"), "workdays: lists 2026-10-01, which is a holiday of the site"),
        (rota("shifts=[]"), "rota[1].shifts: is not known; did you mean shift?"),
        (shift("from='8:00'\nwho=['op']"), "shift[1].from: is no time of day such as 08:00"),
        (shift("from='24:00'\nwho=['op']"), "shift[1].from: is a day's end"),
        (shift("days=['monday']\nwho=['op']"), "shift[1].days: may not be \"monday\"; write one of mon"),
        (shift("from='08:00'"), "shift[1].who: does not stand alone; write who"),
        (shift("who=['op']\nturns=['op']"), "shift[1].who: does not stand alone; write who"),
        (shift("turns=['op','li']"), "shift[1].every_days: is missing"),
        (shift("turns=['op',[]]\nevery_days=7\nsince='2026-01-05'"), "shift[1].turns: has a turn of nobody"),
        (shift("who=[]"), "shift[1].who: has a turn of nobody"),
        (shift("turns=['op']\nevery_days=0\nsince='2026-01-05'"), "every_days: is 0, but must lie in 1 to 366"),
        (shift("who=['opp']"), "names no responder with \"opp\"; did you mean op?"),
        (instead("from='2026-05-01T08:00'\nto='2026-05-01T08:00'\nwho='op'"), "override[1].to: is not after from"),
        (instead("from='2026-05-01'\nto='2026-05-02T08:00'\nwho='op'"), "override[1].from: is not valid (no local time"),
        (instead("from='2026-05-01T08:00'\nto='2026-05-02T08:00'"), "override[1].who: is missing, and instead_of too"),
        (
            "[[ladder]]\nid='l'\nrung=[{ name='n', rotas=['dty'], wait_s=1 },{ name='n', to=['op'], wait_s=1 }]\n".into(),
            "names no rota with \"dty\"; did you mean duty?",
        ),
        (
            "[[ladder]]\nid='l2'\nsite='a'\nrepeat_s=60\nrung=[{ name='n', wait_s=1 }]\n".into(),
            "ladder[1].rung[1].to: is missing; list the responders, or rotas",
        ),
        (
            "[[rota]]\nid='duty'\nfallback=''\n[[ladder]]\nid='l2'\nsite='a'\nrepeat_s=60\nrung=[{ name='n', rotas=['duty'], wait_s=1 }]\n".into(),
            "ends with \"n\", which reaches nobody; name a responder with a channel, or a rota with a fallback",
        ),
    ];
    for (text, expected) in table {
        let found = refused(&[file("x.toml", &text)], &with_rota());
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
    }
    let many = shift("who=['op']\n") + &"[[rota.shift]]\nwho=['op']\n".repeat(32);
    assert!(refused(&[file("x.toml", &many)], &base()).contains("rota[1].shift: has 33 entries; use 32 at most"));
}

#[test]
fn a_ladder_of_life_alarms_ends_with_a_person_who_is_reached_by_voice() {
    let ladder = |id: &str, last: &str| {
        format!(
            "[[ladder]]\nid='{id}'\nsite='a'\nrepeat_s=60\nrung=[{{ name='op', to=['op'], wait_s=9 }},{{ name='n', {last}, wait_s=9 }}]\n"
        )
    };
    let refusal =
        "which names nobody who is reached by voice, and life alarms go by it; on the last rung name a responder";
    let home = "[[home]]\nid='h1'\n[home.ladder]\nsmoke='l'\n";
    let table = [
        ("the last rung reaches a chat", ladder("life", "to=['zhang']"), "x.toml:5: ladder[1].rung: ends with \"n\""),
        ("a rota may be empty", ladder("life", "rotas=['duty']"), "ends with \"n\""),
        ("a person by voice beside them", ladder("life", "to=['zhang','op'], rotas=['duty']"), ""),
        ("no life alarm goes by it", ladder("l", "to=['zhang']"), ""),
        ("a home's smoke goes by it", ladder("l", "to=['zhang']") + home, "ends with \"n\""),
        ("a home's leak does", ladder("l", "to=['zhang']") + &home.replace("smoke", "leak"), ""),
        (
            "a plan's life alarms go by it",
            ladder("l", "to=['zhang']") + "[[plan]]\nid='p'\nsite='a'\n[plan.ladder]\nlife='l'\n",
            "ends with \"n\"",
        ),
        (
            "its channel speaks no more",
            "[[channel]]\nid='desk'\nmedium='sms'\n".into(),
            "registry: ladder life: rung: ends with \"operator\"",
        ),
        ("by default a webhook is no voice", "[[channel]]\nid='desk'\nmedium=''\n".into(), "ends with \"operator\""),
        (
            "its person has another channel",
            "[[responder]]\nid='op'\nchannels=['chat']\n".into(),
            "ends with \"operator\"",
        ),
        ("one of two channels is enough", "[[responder]]\nid='op'\nchannels=['chat','desk']\n".into(), ""),
        (
            "whatever the order of the files",
            "[[responder]]\nid='zhang'\nchannels=['v']\n".to_owned()
                + &ladder("life", "to=['zhang']")
                + "[[channel]]\nid='v'\nsite='a'\nurl='https://x/v'\nsecret='file:v'\nmedium='电话'\n",
            "",
        ),
    ];
    for (why, text, expected) in table {
        let found = refused(&[file("x.toml", &text)], &with_rota());
        assert_eq!(found.contains(refusal), !expected.is_empty(), "{why}: {found}");
        assert!(found.contains(expected), "{why}: {expected}\nis not in\n{found}");
    }
    // What was so before the rule is told, and stands in nobody's way.
    let mut old = with_rota();
    old.channels.get_mut("desk").unwrap().medium = None;
    let import = plan(&[file("x.toml", "[[home]]\nid='h2'\nsite='a'\n")], &old)
        .unwrap_or_else(|found| panic!("{}", told(&found)));
    let warned = import.warnings.join("\n");
    assert!(
        warned.contains("site a: ladder life: ends with \"operator\", which names nobody who is reached by voice"),
        "{warned}"
    );
}
