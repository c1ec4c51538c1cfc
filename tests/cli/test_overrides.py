import pytest

from retain.cli.overrides import Groups, check_overrides, parse_args
from retain.cli.sweep_axes import expand_axes
from retain.customers.files.encoding import resolve_path
from retain.errors import RetainError
from retain.storage.paths import conf_dir
from retain.workflows.campaign_files import find_campaign
from retain.workflows.saved_winner import find_verdict

GROUPS = Groups({"model": ("lightgbm", "logreg", "svc"), "study": ("models", "smoke")})


def test_a_line_is_taken_apart(tmp_path):
    line = parse_args(["-m", "model=svc", "-cd", str(tmp_path), "~seed"])
    assert line.multirun
    assert line.overrides == ("model=svc", "~seed")
    assert line.config_dirs == (tmp_path,)


@pytest.mark.parametrize("flag", ["--cfg", "--info", "--cfg=job"])
def test_hydras_own_flags_are_left_to_hydra(flag):
    assert parse_args([flag, "job"]).to_hydra


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--multrun"], r"flag '--multrun' is unknown\. Did you mean '--multirun'\?"),
        (["models"], r"'models' sets nothing; expected key=value"),
        (["-cd", "nowhere"], "--config-dir 'nowhere' is not a folder"),
        (["-cd"], "--config-dir '' is not a folder"),
    ],
)
def test_what_cannot_be_meant_is_refused(words, message):
    with pytest.raises(RetainError, match=message):
        parse_args(words)


# One check after composition then judges what was typed with and without a plus.
def test_plain_values_are_forced_and_groups_are_chosen():
    typed = ["seed=1", "+model.depth=3", "++a=1", "model=svc", "+model=svc", "~seed", "a=b c"]
    forced = [
        "++seed=1",
        "++model.depth=3",
        "++a=1",
        "model=svc",
        "model=svc",
        "~seed",
        "++a=b c",
    ]
    assert check_overrides(typed, GROUPS) == forced


@pytest.mark.parametrize("text", ["model=lightgmb", "model=svc,lightgmb"])
def test_an_option_that_is_not_there_names_the_nearest(text):
    with pytest.raises(RetainError, match=r"model 'lightgmb' is not one of .*'lightgbm'\?"):
        check_overrides([text], GROUPS)


def test_what_is_no_key_and_value_says_how_to_quote():
    with pytest.raises(RetainError, match=r"'model=\[1,2' cannot be read as key=value.*quotes"):
        check_overrides(["model=[1,2"], GROUPS)


def test_words_in_any_script_need_no_quotes():
    assert check_overrides(["data.id=клиент"], GROUPS) == ["++data.id='клиент'"]
    assert check_overrides(["data.target=a,ушёл"], GROUPS) == ["++data.target='a','ушёл'"]
    assert check_overrides(["data.keep_columns=['сумма']"], GROUPS) == [
        "++data.keep_columns=['сумма']"
    ]
    assert check_overrides(["data.groups={сайт: [цена, b]}"], GROUPS) == [
        "++data.groups={__u0441____u0430____u0439____u0442__: ['цена', b]}"
    ]


def test_a_list_of_values_is_swept_and_a_value_is_not():
    model, seed, threads = expand_axes(["model=svc,logreg", "++seed=1,2", "++threads=1"])
    assert model.texts == ("model=svc", "model=logreg")
    assert seed.texts == ("++seed=1", "++seed=2")
    assert model.swept_values
    assert not threads.swept_values


def test_a_plain_value_needs_no_composition():
    model, seed, listed, referring = expand_axes(
        ["model=svc,logreg", "++seed=1,2", "++x=[1],[2]", "++y=${seed},1"]
    )
    assert seed.plain
    assert seed.path == ("seed",)
    assert seed.values == (1, 2)
    assert not any(axis.plain for axis in (model, listed, referring))


def test_ranges_and_choices_sweep_and_a_list_value_does_not():
    assert [len(axis.texts) for axis in expand_axes(["++seed=range(3)"])] == [3]
    assert [len(axis.texts) for axis in expand_axes(["++seed=choice(1,2)"])] == [2]
    assert not expand_axes(["++metrics.top_shares=[0.1,0.2]"])[0].swept_values


def test_what_cannot_be_listed_cannot_be_swept():
    with pytest.raises(RetainError, match="only lists of values can be swept"):
        expand_axes(["++seed=interval(0,1)"])


def test_a_later_override_narrows_an_earlier_list():
    assert [axis.texts for axis in expand_axes(["model=svc,logreg", "model=svc"])] == [
        ("model=svc",)
    ]


def test_groups_are_folders_and_options_are_files(tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "mine.yaml").write_text("")
    (tmp_path / "top.yaml").write_text("")
    groups = Groups.among([conf_dir(), tmp_path])
    assert "mine" in groups.options["study"]
    assert "models" in groups.options["study"]
    assert "top" not in str(groups.options.values())


def test_the_words_of_a_line_say_where_its_configs_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my conf").mkdir()
    assert parse_args(["a=1", "-cd", "my conf"]).words == ("a=1", "-cd", "my conf")


def test_a_word_too_long_to_be_read_in_a_second_is_refused():
    with pytest.raises(RetainError, match=r"has 200,005 characters; expected at most 100,000"):
        check_overrides(["seed=" + "[" * 200_000], GROUPS)


def test_brackets_nested_deep_are_refused_before_they_are_read():
    with pytest.raises(RetainError, match="has brackets more than 40 deep"):
        check_overrides(["seed=" + "[" * 10_000], GROUPS)


@pytest.mark.parametrize("typed", ["x" * 5000, "a\0b", "~nobody-here/x"])
def test_what_cannot_be_a_path_is_refused_wherever_one_is_typed(typed, tmp_path):
    doors = (
        lambda: parse_args(["-cd", typed]),
        lambda: find_verdict(typed),
        lambda: find_campaign(typed, tmp_path),
        lambda: resolve_path(typed, "data.path"),
    )
    for door in doors:
        with pytest.raises(RetainError, match="cannot be a path"):
            door()
