"""Both languages say everything, and say it rightly."""

import re
from pathlib import Path

import pytest

import retain.report
from retain.report.text.amounts import COUNTED
from retain.report.text.names import metric_name
from retain.report.text.numbers import Number, count_path
from retain.report.text.words import FORMS, LANGUAGES, message, plural, render_all_languages, words

ROOM = Path(retain.report.__file__).parent


def placeholders(text):
    forms = [text] if isinstance(text, str) else text.values()
    return {name for form in forms for name in re.findall(r"\{(\w+)\}", form)}


def test_both_languages_have_the_same_texts():
    assert list(words("en").texts) == list(words("ru").texts)


@pytest.mark.parametrize("key", list(words("en").texts))
def test_both_languages_put_the_same_things_into_a_text(key):
    en, ru = (words(language).texts[key] for language in LANGUAGES)
    assert placeholders(en) == placeholders(ru)
    assert isinstance(en, str) == isinstance(ru, str)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_counted_text_has_every_plural_form_of_its_language(language):
    for key, text in words(language).texts.items():
        if not isinstance(text, str):
            assert set(text) == FORMS[language], key


def test_no_russian_text_was_left_in_english():
    same = {
        key
        for key, text in words("en").texts.items()
        if text == words("ru").texts[key] and re.search(r"[a-z]{2}", str(text))
    }
    named = {"measure.other", "answer.joined", "metric.roc_auc", "script.shown"}
    named |= {"driver.level", "interval.plain", "fishbone.interval"}
    named |= {"trial.counted", "trial.with_p", "trees.cause.named", "trees.sentence", "dash.kind"}
    named |= {"dash.trees.aspect_seed", "trees.with_reason"}
    named |= {"check.feature", "page.question", "scenarios.setting"}
    assert same <= named, same - named


def test_every_text_is_asked_for_somewhere():
    rooms = (ROOM, ROOM.parent / "dashboard")
    files = [path for room in rooms for path in room.rglob("*")]
    sources = [path for path in files if path.suffix in {".py", ".j2", ".js"}]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    built = (
        "assumption.",
        "campaign.class.",
        "campaign.consent.",
        "campaign.unplanned.",
        "caution.",
        "channel.",
        "check.",
        "chart.",
        "column.",
        "column_type.",
        "dash.history.chance_",
        "dash.nav_",
        "dash.progress.",
        "dash.script.",
        "dash.studies.",
        "dash.trees.",
        "answer.chance.",
        "approval.retention",
        "approval.win_back",
        "effect.",
        "funnel.",
        "campaign.why.",
        "funnel_reason.",
        "group.",
        "measure.",
        "metric.",
        "outcome.",
        "overview.sure.",
        "label.excess.",
        "label.no_chance.",
        "label.no_persistence.",
        "label_audit.",
        "reasons.explained.",
        "reasons.no_ablation.",
        "reasons.numbers_of.",
        "reasons.rise.",
        "reasons.way.",
        "script.",
        "segments.category.",
        "segments.number.",
        "segments.stable.",
        "state.",
        "trees.cause.",
        "trees.ci.",
        "trees.customers.",
        "trees.head.",
        "trees.in_tree.",
        "trees.obstacle.",
        "trees.table.",
        "trees.verdict.outdated.",
        "trial.caution.",
        "trial.check.ratio.",
        "trial.conclusion.",
        "trial.look.",
        "trial.net.",
        "trial.plan.",
        "trial.subgroup_kind.",
        "trial.wait.",
        "trust.basis.",
        "trust.calibrated.",
        "trust.method.",
        "trust.one_share.",
    )
    unused = [
        key
        for key in words("en").texts
        if not (name := key.removeprefix(COUNTED)).startswith(built) and f'"{name}' not in code
    ]
    assert unused == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_counts_customers_stands_in_for_another(language):
    texts = words(language).texts
    counted = [key for key in texts if key.startswith(COUNTED)]
    assert counted
    for key in counted:
        other = texts[key.removeprefix(COUNTED)]
        assert isinstance(texts[key], str) == isinstance(other, str), key
        assert placeholders(texts[key]) <= placeholders(other), key
        text = str(texts[key]).lower()
        assert not re.search("profit|net value|прибыл|чист|money|ден[ье]", text), key


@pytest.mark.parametrize(
    ("count", "form"),
    [
        *[(0, "many"), (1, "one"), (2, "few"), (4, "few"), (5, "many"), (11, "many")],
        *[(12, "many"), (14, "many"), (21, "one"), (22, "few"), (101, "one"), (111, "many")],
    ],
)
def test_a_russian_noun_follows_its_count(count, form):
    assert plural(count, "ru") == form


def test_a_phrase_marks_its_numbers_and_escapes_its_names():
    text = message("answer.miss", metric="<b>", value=Number(0.5, "score"), threshold="", by="")
    shown = str(words("en").html(text))
    assert "&lt;b&gt;" in shown
    assert '<data value="0.5" data-form="score">0.500</data>' in shown


def test_a_text_the_catalogue_lacks_is_an_error():
    with pytest.raises(KeyError, match=r"no\.such"):
        render_all_languages(message("no.such"))


def test_a_metric_the_catalogue_does_not_know_keeps_its_key():
    assert words("ru").plain(metric_name("my_metric")) == "my_metric"
    assert words("ru").plain(metric_name("lift_10")) == "Лифт в топ-10\u00a0%"


def test_a_phrase_within_a_phrase_is_counted_by_its_own_number():
    text = message("answer.pairs.single", n=count_path(3, "pairs"))
    assert words("ru").plain(text) == "3 пары моделей, прочие настройки одинаковы"
    assert words("en").plain(text) == "3 pairs of runs, all other settings equal"
