"""`gan808 replay`: a recording's sounds made again by their ids, and the recording played.

A sound of the kit's factory is read from the kit, any other is rendered from its id, in a render
process as when it was played. What a sound is worth is told by its digest: where the kit, the
program or the machine is another, the sounds may be too, and then a line says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gan808 import __version__, paths
from gan808.app.offline.render import batches
from gan808.config import Settings
from gan808.engine.outputs.registry import open_output
from gan808.engine.outputs.stems import StemFiles, stem_paths
from gan808.engine.outputs.wav import WavFile
from gan808.errors import Gan808Error, Guard, KitError
from gan808.pool.factory import factory_sounds
from gan808.pool.render_process import RenderProcess
from gan808.pool.store import fingerprint
from gan808.recording.format import Line, digest_of, read_take
from gan808.recording.replay import Replay, codes_of
from gan808.sound.kit.kit import Kit, find_kit
from gan808.sound.latent import parse_id
from gan808.sound.sound import RENDER, Sound, parse_file_id
from gan808.storage.library import Library

LOADING_TIMEOUT_S = 300.0
# Live, commands are sent this long before they are due.
AHEAD_S = 0.5
FEED_S = 0.05


@dataclass(frozen=True)
class ReplayOrder:
    """Which recording; the WAV to write, or the output to play on; a kit instead of its own."""

    recording: Path
    out: Path | None = None
    output: str | None = None
    kit: str | None = None


@dataclass(frozen=True)
class Found:
    """Sounds by mark, and the ids of those that are not as they were or not there at all."""

    sounds: Mapping[int, Sound]
    differing: Sequence[str]


def replay_file(settings: Settings, order: ReplayOrder) -> Iterator[str]:
    """Replay a recording; yields lines for the user. Raises Gan808Error."""
    lines = read_take(order.recording)
    out = None
    if order.output is None:
        path = order.out or order.recording.with_name(f"{order.recording.stem}-replay.wav")
        stems = stem_paths(path, codes_of(lines)) if settings.audio.by_slot else []
        for each in (path, *stems):
            if each.exists():
                raise Gan808Error(f"{each}: there is one already; give another with --out")
        out = path
    yield from _notes_on(lines)
    kits = _Kits(settings, lines, order.kit)
    found = find_sounds(lines, kits.sounds)
    yield from kits.notices
    if found.differing:
        yield (f"{len(found.differing)} of {len(found.sounds)} sounds are not as they were "
               f"recorded, {found.differing[0]} for one: the replay differs")
    replay = Replay(lines, found.sounds)
    if out is None:
        play_on(order.output or "auto", replay, by_slot=settings.audio.by_slot)
        yield f"played {replay.seconds:.1f} s"
        return
    write_wav(out, replay, by_slot=settings.audio.by_slot)
    slots = ", and each slot alone" if settings.audio.by_slot else ""
    yield f"{out}  {replay.seconds:.1f} s, {len(found.sounds)} sounds{slots}"


def _notes_on(lines: Sequence[Line]) -> Iterator[str]:
    head, last = lines[0], lines[-1]
    if head["gan808"] != __version__:
        yield f"recorded by GAN-808 {head['gan808']}, this is {__version__}: it may sound otherwise"
    if (render := head.get("render", 1)) != RENDER:
        yield (f"its sounds were rendered otherwise, by renderer {render}; they are replayed as "
               f"renderer {RENDER} has them")
    if "end" not in last:
        yield "the recording was cut short; what there is of it is replayed"
    elif last.get("lost_frames") or last.get("lost_commands"):
        yield (f"the disk was too slow: the recording misses {last['lost_frames']} frames and "
               f"{last['lost_commands']} commands, so the replay differs there")


def write_wav(path: Path, replay: Replay, *, by_slot: bool = False) -> None:
    """The whole recording as a WAV of floats, as fast as it goes, and each slot alone as one beside
    it. Raises Gan808Error."""
    stems = StemFiles(path, replay.codes if by_slot else (), partial(
        WavFile, sample_rate_hz=replay.rate_hz))
    with ExitStack() as closing:
        mix = WavFile(path, replay.rate_hz)
        closing.callback(mix.close)
        closing.callback(stems.close)
        stems.open()
        replay.play(mix.write, stems.write if by_slot else None)


def play_on(spec: str, replay: Replay, *, by_slot: bool = False) -> None:
    """Play the recording on an output, in its own time. Raises Gan808Error."""
    output = open_output(spec, sample_rate_hz=replay.rate_hz, block_frames=None, by_slot=by_slot)
    ahead = round(AHEAD_S * replay.rate_hz)
    replay.feed(replay.first_frame + ahead)
    output.start(replay.engine, lambda: replay.codes)
    try:
        while replay.engine.frames < replay.end_frame and not output.wait(FEED_S):
            replay.feed(replay.engine.frames + ahead)
    finally:
        output.stop()
    if output.failure is not None:
        raise output.failure


MakeSounds = Callable[[str, Sequence[tuple[str, str]]], Mapping[str, Sequence[Sound]]]


def find_sounds(lines: Sequence[Line], make: MakeSounds) -> Found:
    """Every sound of a recording. make(kit, [(id, digest)]) gives the sounds that might be those
    of each id, the likelier first. Raises Gan808Error."""
    wanted: dict[int, tuple[str, str]] = {}
    try:
        for line in lines:
            if "sound" in line:
                wanted[int(line["sound"])] = (str(line["id"]), str(line["digest"]))
    except (LookupError, TypeError, ValueError) as error:
        raise Gan808Error(f"the recording is damaged: {error}") from error
    by_kit: dict[str, dict[tuple[str, str], None]] = {}
    for pair in wanted.values():
        file = parse_file_id(pair[0])
        kit_name = parse_id(pair[0])[0] if file is None else file.kit
        by_kit.setdefault(kit_name, {})[pair] = None
    made: dict[tuple[str, str], tuple[Sound, bool]] = {}
    for kit, pairs in by_kit.items():
        candidates = make(kit, list(pairs))
        for pair in pairs:
            there = candidates.get(pair[0], ())
            same = [sound for sound in there if digest_of(sound.audio) == pair[1]]
            if there:
                made[pair] = (same[0] if same else there[-1], bool(same))
    sounds = {mark: made[pair][0] for mark, pair in wanted.items() if pair in made}
    differing = dict.fromkeys(pair[0] for pair in wanted.values()
                              if pair not in made or not made[pair][1])
    return Found(sounds, list(differing))


class _Kits:
    """The kits of a recording, and their sounds made again."""

    def __init__(self, settings: Settings, lines: Sequence[Line], instead: str | None) -> None:
        head = lines[0]
        self.notices: list[str] = []
        self._rate_hz = int(head["rate"])
        self._instead = instead
        self._library = Library.of_user(settings.imports.folder)
        self._same_renderer = head.get("render", 1) == RENDER
        self._lines = {str(line["kit"]): line for line in lines if "kit" in line}
        chosen: dict[str, Any] = {"threads": head.get("threads"), "niceness": 0,
                                  "griffin_lim_rounds": head.get("rounds")}
        self._settings = settings.replace({"renderer": chosen}).renderer

    def sounds(self, name: str, pairs: Sequence[tuple[str, str]]) -> dict[str, list[Sound]]:
        """What the kit has for these ids: its factory's, and rendered what that has not."""
        kit = self._kit(name)
        found: dict[str, list[Sound]] = {}
        have = set()
        for sound in factory_sounds(kit, self._rate_hz).sounds:
            identity = sound.id.removeprefix(f"{kit.name}/")
            found.setdefault(f"{name}/{identity}", []).append(sound)
            have.add((f"{name}/{identity}", digest_of(sound.audio)))
        missing = list(dict.fromkeys(pair[0] for pair in pairs if pair not in have))
        files = {each: file for each in missing if (file := parse_file_id(each)) is not None}
        for sound_id, file in files.items():
            with Guard(sound_id, lambda error: self.notices.append(str(error))):
                found[sound_id] = [self._library.reload_sound(file, kit, self._rate_hz)]
        missing = [each for each in missing if each not in files]
        for sound_id, sound in zip(missing, self._render(kit, missing), strict=True):
            found.setdefault(sound_id, []).append(sound)
        return found

    def _kit(self, name: str) -> Kit:
        """The kit of that name, or from where it was. Raises KitError."""
        line = self._lines.get(name, {})
        try:
            kit = find_kit(self._instead or name, paths.kit_folders())
        except KitError:
            if self._instead is not None or not Path(line.get("folder", "")).is_dir():
                raise
            kit = find_kit(str(line["folder"]), paths.kit_folders())
        mark = fingerprint(kit, self._rate_hz, self._settings.griffin_lim_rounds)
        if self._same_renderer and line.get("fingerprint", mark) != mark:
            self.notices.append(f"kit {name} has changed since the recording")
        return kit

    def _render(self, kit: Kit, ids: Sequence[str]) -> list[Sound]:
        """These sounds by their ids, in a render process of their own. Raises Gan808Error."""
        if not ids:
            return []
        process = RenderProcess(kit, self._rate_hz, self._settings)
        process.start()
        try:
            if not process.ready(LOADING_TIMEOUT_S):
                raise Gan808Error(f"the renderer was not ready in {LOADING_TIMEOUT_S:.0f} s")
            sounds: list[Sound] = []
            for batch in batches(ids, self._settings.batch, lines=True):
                places_of = [parse_id(each) for each in batch]
                rendered = process.render([name for _, name, _ in places_of],
                                          [point for _, _, point in places_of])
                sounds += [each.sound for each in rendered]
            return sounds
        finally:
            process.stop()
