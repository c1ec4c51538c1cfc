"""The verification of a study's verdict and campaigns; it reads only, and writes nothing.

First every file is held against the manifests. Then each number that the records of the runs
suffice for is computed again by what computed it, and what is written twice is compared: in
verdict.json, the tables, the page, and the files of the campaigns.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from retain.errors import RetainError
from retain.execution.plan import collect_environment
from retain.record.comparison_document import SealedResult
from retain.record.directory import CampaignDirectory
from retain.record.documents import read_document, to_tree
from retain.record.manifest import DisagreementError, ManifestDocument, check_manifest
from retain.record.study import StudyDirectory
from retain.record.verdict_document import VerdictDocument
from retain.schema.parsing import Config
from retain.storage.reading import read_json_object
from retain.verdict.sealed_test import Ledger
from retain.workflows.verification.agreement import count_equal
from retain.workflows.verification.campaign import check_campaign, check_pointer, check_readout
from retain.workflows.verification.page import check_page, read_page
from retain.workflows.verification.recomputed_verdict import recompute_verdict
from retain.workflows.verification.tables import check_tables


class VerifiedPart(Config):
    """A part that agrees: how many files or values of it were held against others."""

    name: str
    n_checked: int


class UnverifiedPart(Config):
    """A part whose bytes are as written and whose numbers nothing here can say again, and why.

    ``keys`` are those of its document that are in it, whole or in part.
    """

    name: str
    reason: str
    keys: tuple[str, ...] = ()


class VerificationDocument(Config):
    """The parts verified and not verified, and the first thing that does not agree, if any."""

    agrees: bool
    disagreement: str | None
    verified: tuple[VerifiedPart, ...]
    not_verified: tuple[UnverifiedPart, ...]


def verify(folder: Path) -> VerificationDocument:
    """Verify the verdict and the campaigns of a study, or a campaign that was copied out.

    Parameters
    ----------
    folder
        The folder of a study, of its verdict, or of a campaign.

    Raises
    ------
    RetainError
        There is neither in the folder, or a file of it cannot be read.
    """
    verification = _Verification()
    disagreement = None
    try:
        for part in verification.parts(folder):
            verification.verified.append(part)
    except DisagreementError as error:
        disagreement = str(error)
    return VerificationDocument(
        agrees=disagreement is None,
        disagreement=disagreement,
        verified=tuple(verification.verified),
        not_verified=tuple(verification.not_verified),
    )


def _sealed(saved: VerdictDocument) -> SealedResult:
    if saved.sealed_test is None:
        raise ValueError("the verdict has no sealed test")
    return saved.sealed_test


def _has_sealed(saved: VerdictDocument) -> bool:
    return saved.sealed_test is not None


def _has_segments(saved: VerdictDocument) -> bool:
    return saved.segments is not None


def _has_any(_: VerdictDocument) -> bool:
    return True


UNVERIFIED: tuple[tuple[str, str, Callable[[VerdictDocument], bool], tuple[str, ...]], ...] = (
    (
        "the sealed test and its test against chance",
        "no record has its customers",
        _has_sealed,
        ("sealed_test", "versus_random"),
    ),
    (
        "the curve of captured profit",
        "no record has profits",
        _has_sealed,
        ("curves.captured_profit",),
    ),
    (
        "recalibration, and the check of calibration",
        "no record has profits and the customers' segments",
        _has_segments,
        ("recalibration", "calibration_check"),
    ),
    (
        "risks and intervals of segments, and their bounds",
        "no record has the customers",
        _has_segments,
        ("segments", "dominant_segment", "fitted_thresholds"),
    ),
    (
        "explanations",
        "they need new fits",
        lambda saved: saved.explanations is not None,
        ("explanations",),
    ),
    (
        "commands, settings, runs left out and counts of unfinished runs",
        "no record has them",
        _has_any,
        (
            *("commands", "settings", "excluded_runs", "n_interrupted", "n_running"),
            *("alpha", "rope", "selection.rule", "selection.complexity_order", "gate"),
        ),
    ),
    (
        "model, pictures, workbooks and drivers.csv",
        "only their bytes are as written",
        _has_sealed,
        (),
    ),
)
"""Parts of a verdict that records do not suffice for, why, whether a verdict has them, and keys.

No other key of ``verdict.json`` has a value that could be another one while the verdict agrees.
"""
OF_CAMPAIGN, OF_READOUT = ("id", "schema", "files"), ("schema", "campaign_id", "campaign_sha256")
"""Keys of ``campaign.json`` and ``readout.json`` all of whose values are verified."""


class _Verification:
    """The parts that were verified so far, and those that cannot be."""

    def __init__(self) -> None:
        self.verified: list[VerifiedPart] = []
        self.not_verified: list[UnverifiedPart] = []

    def parts(self, folder: Path) -> Iterator[VerifiedPart]:
        """Yield each part that agrees; the first one that does not raises."""
        study = StudyDirectory(folder.parent if folder.name == "verdict" else folder)
        campaigns = tuple(study.campaign(id_) for id_ in study.campaign_ids)
        if CampaignDirectory(folder).campaign_json.exists():
            campaigns = (CampaignDirectory(folder),)
        if not study.verdict.exists() and not campaigns:
            raise RetainError(_nothing_to_verify(folder))
        manifest = None
        if study.verdict.exists():
            manifest, added = check_manifest(study.verdict)
            yield self._files("the verdict", study.verdict, manifest, added)
        for campaign in campaigns:
            yield from self._files_of_campaign(campaign)
        if manifest is not None:
            yield from self._verdict(study, manifest)
        for campaign in campaigns:
            yield from self._campaign(campaign)

    def _files(
        self, name: str, folder: Path, manifest: ManifestDocument, added: Sequence[str]
    ) -> VerifiedPart:
        """Return the part of the files of a folder, to which none may be added."""
        if added:
            raise DisagreementError(f"{folder / added[0]} was added to {name} later.")
        return VerifiedPart(name=f"files of {name}", n_checked=len(manifest.files))

    def _files_of_campaign(self, campaign: CampaignDirectory) -> Iterator[VerifiedPart]:
        """Yield the files of a campaign, in whose folder outcomes may lie, and of its readout."""
        manifest, added = check_manifest(campaign.path)
        name = f"campaign {campaign.path.name}"
        yield self._files(name, campaign.path, manifest, ())
        readout = campaign.readout.path
        for path in (campaign.path / file for file in added):
            if not path.is_relative_to(readout):
                self._leave(str(path), "it was added after the campaign was planned")
        if readout.exists():
            yield self._files(f"the readout of {name}", readout, *check_manifest(readout))

    def _verdict(self, study: StudyDirectory, manifest: ManifestDocument) -> Iterator[VerifiedPart]:
        tree, saved = read_document(VerdictDocument, study.verdict_json, within=study.verdict)
        count = _check_hashes(study, saved, manifest)
        recomputed = recompute_verdict(study, saved, manifest.runs or {})
        count += count_equal(tree, to_tree(recomputed), str(study.verdict_json))
        yield VerifiedPart(name="verdict.json by the records of the runs", n_checked=count)
        if saved.sealed_test is not None:
            _check_counts(study, saved)
        if saved.sealed_test is not None and study.ledger.exists():
            yield VerifiedPart(name=study.ledger.name, n_checked=_check_ledger(study, saved))
        for name, count in check_tables(study, saved, read_page(study)[1]):
            yield VerifiedPart(name=f"{name} by verdict.json", n_checked=count)
        if saved.planned_campaign is not None and saved.planned_campaign.id is not None:
            campaign = study.campaign(saved.planned_campaign.id)
            count = check_pointer(saved, campaign)
            yield VerifiedPart(name=f"the plan of campaign {campaign.path.name}", n_checked=count)
        for name, reason, applies, keys in UNVERIFIED:
            if applies(saved):
                self._leave(name, reason, keys)
        if manifest.code_sha256 != collect_environment().code_sha256:
            self._leave(study.report.name, "another version of retain made it")
            return
        count = check_page(study, saved)
        yield VerifiedPart(name=f"{study.report.name} by verdict.json", n_checked=count)

    def _campaign(self, campaign: CampaignDirectory) -> Iterator[VerifiedPart]:
        name = f"campaign {campaign.path.name}"
        yield VerifiedPart(name=f"totals of {name}", n_checked=check_campaign(campaign))
        keys = read_json_object(campaign.campaign_json, within=campaign.path).keys()
        reason = "all but counts and costs of those in campaign.csv needs all customers"
        self._leave(f"money and scenarios of {name}", reason, keys - {*OF_CAMPAIGN})
        if campaign.readout.path.exists():
            count = check_readout(campaign)
            yield VerifiedPart(name=f"effects.csv of {name} by readout.json", n_checked=count)
            keys = read_json_object(campaign.readout.readout, within=campaign.path).keys()
            self._leave(f"effects of {name}", "they need the outcomes", keys - {*OF_READOUT})

    def _leave(self, name: str, reason: str, keys: Collection[str] = ()) -> None:
        part = UnverifiedPart(name=name, reason=reason, keys=tuple(sorted(keys)))
        self.not_verified.append(part)


def _nothing_to_verify(folder: Path) -> str:
    """Return the message that there is neither a verdict nor a campaign, and what to type."""
    if (folder / "verdict.json").is_file():
        return (
            f"{folder} is a verdict without its study; expected the folder of a study, with its "
            "runs: the numbers follow from them."
        )
    found = f"{folder} has no verdict and no campaigns"
    studies = [path for path in sorted(folder.glob("*/verdict")) if path.is_dir()]
    if studies:
        return f"{found}; type a study of it: retain-verify {shlex.quote(str(studies[0].parent))}"
    return f"{found}; expected the folder of a compared study, such as outputs/demo."


def _check_hashes(study: StudyDirectory, saved: VerdictDocument, manifest: ManifestDocument) -> int:
    """Return the number of hashes in the verdict, which are those of the manifest."""
    own = {**(saved.files or {})}
    own |= {one.file: one.sha256 for one in (saved.model, saved.reference) if one is not None}
    others = {name: info.sha256 for name, info in manifest.files.items() if name in own}
    return count_equal(own, others, f"{study.verdict_json}, files")


def _check_ledger(study: StudyDirectory, saved: VerdictDocument) -> int:
    """Return the number of accesses to the sealed test, each of which the ledger has."""
    entries = Ledger(study.ledger, study.ledgers_beside).entries(saved.data.fingerprint)
    known = [one.model_dump(exclude={"schema_"}) for one in entries]
    sealed = _sealed(saved)
    for one in sealed.accesses:
        if one.model_dump() not in known:
            raise DisagreementError(f"{study.ledger} lacks an access of {one.run_id}.")
    # Its ROC-AUC may differ from the verdict's: an access by the same run again adds no line.
    if not any(one.run_id == saved.winner.id for one in sealed.accesses):
        raise DisagreementError(f"{study.verdict_json}: sealed_test has no access of the winner.")
    return len(sealed.accesses)


def _check_counts(study: StudyDirectory, saved: VerdictDocument) -> None:
    """Raise if the sealed test has another number of customers than the split of the runs."""
    sealed, split = _sealed(saved), saved.split
    if not split.test_snapshots and sealed.n_customers != split.n_sealed_test:
        raise DisagreementError(
            f"{study.verdict_json}: sealed_test.n_customers is {sealed.n_customers}, and "
            f"split.n_sealed_test {split.n_sealed_test}."
        )
