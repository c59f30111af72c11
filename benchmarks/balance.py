"""How loud a kit's factory sounds are for its kick: python -m benchmarks.balance [KIT FOLDER].

Momentary maximum (BS.1770-4), LU relative to the median kick: median, spread (highest less
lowest), the kit's target, the two tables of defaults, and the kits behind these (FluidR3's programs
0, 8 and 25, TimGM6mb's 0) as they are played now, one hit at velocity 100, dry, where their files
and pyfluidsynth are there."""

import sys
from pathlib import Path

import numpy as np

from gan808.sound.kit.kit import load_kit
from gan808.sound.loudness import RELATIVE_LU, momentary_lkfs

SOUNDFONTS = Path("/usr/share/sounds/sf2")  # Debian's fluid-soundfont-gm and timgm6mb-soundfont
REFERENCES = (("FluidR3_GM", 0), ("FluidR3_GM", 8), ("FluidR3_GM", 25), ("TimGM6mb", 0))
NOTES = {"kick": 36, "snare": 38, "tom": 45, "conga": 64, "rimshot": 37, "claves": 75, "clap": 39,
         "shaker": 70, "cowbell": 56, "cymbal": 49, "open_hat": 46, "closed_hat": 42,
         "side_stick": 37, "crash": 49, "ride": 51, "ride_bell": 53, "splash": 55, "china": 52,
         "tambourine": 54, "bongo": 60, "hand_drum": 61, "pedal_hat": 44, "timbale": 65,
         "agogo": 67, "woodblock": 76, "triangle": 81}


def print_reference(font: str, program: int) -> None:
    import fluidsynth

    synth = fluidsynth.Synth(samplerate=44100.0, gain=0.2)
    for effect in ("reverb", "chorus"):
        synth.setting(f"synth.{effect}.active", 0)
    sounds, found = synth.sfload(str(SOUNDFONTS / f"{font}.sf2")), {}
    for name, note in NOTES.items():
        synth.program_select(9, sounds, 128, program)
        synth.noteon(9, note, 100)
        audio = np.array(synth.get_samples(3 * 22050)).reshape(-1, 2) / 32768
        synth.system_reset()
        found[name] = momentary_lkfs(audio, 44100)
    synth.delete()
    print(f"{font} {program}: " + ", ".join(
        f"{name} {value - found['kick']:+.1f}" for name, value in found.items()))


def main(folder: Path) -> None:
    kit = load_kit(folder)
    found: dict[str, list[float]] = {name: [] for name in kit.classes}
    for sound in kit.factory_sounds(kit.geometry.sample_rate_hz):
        n_channels = 1 if sound.audio.ndim == 1 else sound.audio.shape[1]
        loudness = momentary_lkfs(sound.audio, sound.sample_rate_hz)
        found[sound.class_asked].append(loudness - 10 * float(np.log10(n_channels)))
    target = kit.manifest.loudness
    kick = float(np.median(found["kick"])) if found.get("kick") else target.kick_lkfs
    print(f"{'class':<12}{'median':>8}{'spread':>8}{'target':>8}{'machine':>9}{'acoustic':>10}")
    for name, values in found.items():
        if values:
            wanted = target.target_lkfs(name) - target.kick_lkfs
            machine, acoustic = (RELATIVE_LU[b].get(name, np.nan) for b in ("machine", "acoustic"))
            print(f"{name:<12}{np.median(values) - kick:8.1f}{max(values) - min(values):8.1f}"
                  f"{wanted:8.1f}{machine:9.1f}{acoustic:10.1f}")
    try:
        for font, program in REFERENCES:
            if (SOUNDFONTS / f"{font}.sf2").is_file():
                print_reference(font, program)
    except ImportError:
        print("references: pip install pyfluidsynth")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "kits/gan808"))
