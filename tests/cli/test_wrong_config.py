"""Whatever a config holds, however wrong, ends in one sentence."""

import math
from functools import cache

import pytest

from retain.cli.compose import Composer, _run, check_count, resolve, swept_by
from retain.cli.launcher import choose_backend
from retain.cli.overrides import Arguments, Groups, check_overrides
from retain.cli.sweep_axes import count_runs
from retain.errors import NotApplicable, RetainError
from retain.learning.components import build_source, build_training_spec
from retain.schema.compare import Compare
from retain.schema.parsing import parse
from retain.schema.readout import Readout
from retain.schema.scoring import Score
from retain.storage.paths import conf_dir

GROUPS = Groups.among([conf_dir()])
WRONG = (
    *(None, 5, -1, True, 0.5, 1e30, 10**400, math.nan, -math.inf),
    *("", "../../X", "a/b", ".hidden", "\x1b[2J", "x" * 5000, "${nothing}", "${", "???"),
    *([], [5], [[]], {}, {"a": 1}, {"a": {"b": [1]}}, {"_target_": "os.system"}, {5: 6}),
)


def paths(node, where=()):
    """Every node of a tree that lies within it."""
    if where:
        yield where
    for key, inner in node.items() if isinstance(node, dict) else ():
        yield from paths(inner, (*where, key))


def put(node, where, value):
    return {**node, where[0]: put(node.get(where[0]), where[1:], value)} if where else value


@cache
def composed(primary, *words):
    with Composer(Arguments(words), primary) as composer:
        return dict(composer._compose(words))


def own(tree):
    return {key: node for key, node in tree.items() if key != "hydra"}


def take_run(tree):
    run = _run((), tree)
    assert "/" not in run.slug
    parts = {part: tree.get(part) for part in ("model", "sampler", "scaling", "threads", "tuning")}
    if (known := repr(parts)) not in built:  # what other nodes say makes no other components
        build_training_spec(run.run)
        built.add(known)


built = set()


TAKEN = {
    "run": (take_run, ("model=lightgbm", "sampler=smote", "validation=repeated")),
    "compare": (lambda tree: parse(Compare, resolve(own(tree))), ("offers=general",)),
    "score": (lambda tree: parse(Score, resolve(own(tree))), ("verdict=x",)),
    "readout": (lambda tree: parse(Readout, resolve(own(tree))), ()),
}


@pytest.mark.slow
@pytest.mark.parametrize("primary", TAKEN)
def test_a_node_of_any_wrong_kind_is_refused_in_a_sentence_or_taken(primary):
    take, words = TAKEN[primary]
    tree = composed(primary, *words)
    take(tree)
    tried = 0
    for where in paths(own(tree)):
        if where[0] == "data" and len(where) > 2:
            continue  # told of where data are read
        for value in WRONG:
            tried += 1
            try:
                take(put(tree, where, value))
            except (RetainError, NotApplicable) as refused:
                assert str(refused)  # noqa: PT017 - most are refused, and some may be meant
    assert tried > 25 * len(tree)


def take_hydra(tree):
    swept_by(tree)
    check_count(1, tree)
    choose_backend(_run((), tree))


@pytest.mark.parametrize(
    "where", [("hydra", "launcher"), ("hydra", "sweeper"), ("study", "sweeps")]
)
@pytest.mark.parametrize("inner", [(), ("params",), ("jobs",)])
def test_what_a_study_says_of_hydra_is_refused_in_a_sentence_or_taken(where, inner):
    tree = composed("run", "hydra/launcher=submitit_local")
    for value in WRONG:
        given = value if not inner else {inner[0]: value}
        changed = put(tree, where, given)
        try:
            take_hydra(changed)
        except RetainError as refused:
            assert str(refused)  # noqa: PT017


@pytest.mark.parametrize("key", ["tables", "cleaning", "derived", "profit_unit", "has_target"])
def test_a_contract_of_any_wrong_kind_is_refused_in_a_sentence_or_taken(key, tmp_path):
    node = composed("run", "data=one_click", f"data.dir={tmp_path}")["data"]
    within = [(key,), *((key, *inner) for inner in list(paths(node[key]))[::40])]
    for where in within:
        for value in WRONG:
            with pytest.raises(RetainError):
                build_source(put(node, where, value))()


SWEEPS = {
    "model=glob(zz*)": "is not one of",
    "seed=glob(*)": "is not one of",
    "seed=interval(0,1)": "an interval is searched, not swept",
    "seed=range(1,0,0)": "has no values",
    "seed=range(1,1)": "has no values",
    "model.C=range(1,1)": "has no values",
    "model.C=range(0,1,-0.1)": "has no values",
    "seed=range(0,inf)": "has no values|cannot be read",
    "seed=range(nan,1)": "has no values|cannot be read",
    "seed=range(a,b)": "cannot be read",
    "seed=choice()": "cannot be read",
    "seed=sort()": "cannot be read",
    "seed=extend_list(1)": "cannot be read",
    "seed=int(x)": "cannot be read",
    "seed=" + "9" * 5000: "cannot be read",
    "model.C=" + "[" * 3000: "brackets more than 40 deep",
    "data.path=(" + "é" * 90_000: "90,000 characters beyond ASCII",
    "model=range(0,3)": "is not one of",
    "model=null": "is not one of",
    "hydra=5": "has no effect here",
    "hydra.run.dir=x": "has no effect here",
    "hydra.sweeper.params={seed:[1,2]}": "has no effect here",
    "hydra.sweeper.params.seed=5": "has no effect here",
    "hydra.searchpath=[x]": "has no effect here",
    "~hydra": "has no effect here",
    "hydra/job_logging=none": "has no effect here",
    "hydra/launcher=ray,basic": "sweeps a setting of Hydra",
}


@pytest.mark.parametrize("text", SWEEPS, ids=lambda text: text[:40])
def test_a_sweep_that_cannot_be_made_is_refused_before_anything_is_composed(text):
    with pytest.raises(RetainError, match=SWEEPS[text]) as caught:
        check_overrides([text], GROUPS)
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["seed=range(0,1e9)"], "1,000,000,000"),
        (["seed=shuffle(range(0,1000000000))"], "1,000,000,000"),
        (["seed=range(0,1000)", "model.C=range(0,1,0.001)"], "1,000,000"),
        (["seed=range(0,11)", "max_runs=10"], "11"),
    ],
)
def test_a_sweep_of_too_many_runs_is_refused_before_any_is_made(words, count):
    with (
        Composer(Arguments(tuple(words), multirun=True), "run") as composer,
        pytest.raises(RetainError, match=f"asks for {count} runs.*max_runs="),
    ):
        next(composer.trees())
    assert len(composer._composed) == 1


def test_a_sweep_is_counted_as_it_is_made():
    texts = ["++seed=range(0,7,3)", "++a=range(0,1,0.1)", "++b=1,2,3", "++seed=sort(3,1)", "++c=1"]
    assert count_runs(texts) == 2 * 10 * 3


NO_NAMES = ("../../X", "..", ".x", "a/b", "", " x", "x\n", "~", "x" * 201, "\u202e", "a\\b")


@pytest.mark.parametrize("name", NO_NAMES)
@pytest.mark.parametrize("part", ["study", "model", "sampler", "calibration", "tuning", "data"])
def test_what_becomes_part_of_a_path_is_one_plain_name(part, name):
    tree = composed("run")
    with pytest.raises(RetainError, match=rf"{part}\.name is .*expected one plain name"):
        _run((), put(tree, (part, "name"), name))


@pytest.mark.parametrize("name", NO_NAMES)
def test_names_of_catalogues_and_of_studies_compared_are_plain_too(name):
    tree = own(composed("compare", "offers=general"))
    for where in (("offers", "name"), ("study", "name")):
        for given in (name, *([[name, "x"]] if where[0] == "study" else [])):
            with pytest.raises(RetainError, match="expected one plain name"):
                parse(Compare, resolve(put(tree, where, given)))


def test_a_group_of_features_is_no_way_out_either():
    run = _run((), put(composed("run"), ("features", "../../x"), value=False))
    with pytest.raises(RetainError, match="the name of the run is"):
        _ = run.slug


FILES = {
    "no name": b"_target_: sklearn.tree.DecisionTreeClassifier\n",
    "a name that is no text": b"name: [a]\n_target_: x.Y\n",
    "a name twice": b"name: a\nname: b\n",
    "a class that is no text": b"name: a\n_target_: [x]\n",
    "a list": b"- a\n",
    "a text": b"hello\n",
    "a number": b"5\n",
    "nothing": b"",
    "no UTF-8": b"name: \xff\xfe\n",
    "too large": b"name: a\nx: [" + b"1," * 100_001 + b"1]\n",
    "too many": b"name: a\nx: [" + b"1," * 20_001 + b"1]\n",
    "too deep": b"name: a\nx: " + b"[" * 3000 + b"]" * 3000,
    "laughs": b"a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n"
    b"c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d]\n",
    "no YAML": b"name: [\n",
    "a tag": b"name: !!python/object/apply:os.system ['true']\n",
    "itself": b"defaults: [bad]\nname: a\n",
    "a choice that is not there": b"defaults: [nowhere]\nname: a\n",
    "no list of choices": b"defaults: 5\nname: a\n",
    "no hydra": b"# @package _global_\nhydra: null\n",
    "a sweeper that is none": b"# @package _global_\nhydra: {sweeper: 5}\n",
    "a reference to nothing": b"name: ${nothing}\n",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_config_file_that_is_none_is_refused_in_a_sentence(content, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "bad.yaml").write_bytes(content)
    line = Arguments(("model=bad",), config_dirs=(tmp_path,), multirun=True)
    with pytest.raises(RetainError), Composer(line, "run") as composer:
        composer.runs()
