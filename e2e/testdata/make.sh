#!/bin/sh
# Makes the tracks of this folder anew, with sox, lame and oggenc (vorbis-tools).
# Tests only read what it made.
set -eu
cd "$(dirname "$0")"
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT

# sweep NAME RATE FROM TO: five seconds of a sine that goes from one frequency in
# Hz to another, with an octave above it; in stereo the right channel has half.
sweep() {
    sox -D -r "$2" -c 1 -n -b 16 "$1" \
        synth 5 sine "$3:$4" synth 5 sine mix "$((2 * $3)):$((2 * $4))" vol 0.5 remix 1 1v0.5
}

sweep "$dir/up.wav" 44100 200 2200
lame --quiet -m j -V 6 --tt Rising --add-id3v2 "$dir/up.wav" rising.mp3
sweep "$dir/down.wav" 48000 2200 200
oggenc -Q -s 1 -q 2 -o falling.ogg "$dir/down.wav"
