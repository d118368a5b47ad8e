#!/bin/sh
# Makes the sound files of this folder anew, with sox, lame, flac, oggenc
# (vorbis-tools) and opusenc (opus-tools). Tests only read what it made.
set -eu
cd "$(dirname "$0")"
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT

# sweep NAME RATE SECONDS CHANNELS [sox options of the file]: a sine of 300 to
# 3300 Hz at half of full scale; in stereo the right channel has half of that, of
# more channels every one the same.
sweep() {
    name=$1 rate=$2 seconds=$3 mix=$4
    shift 4
    sox -D -r "$rate" -c 1 -n "$@" "$name" synth "$seconds" sine 300:3300 vol 0.5 remix $mix
}
mono=1
stereo='1 1v0.5'
eight='1 1 1 1 1 1 1 1'

sweep u8-8000.wav         8000 1   "$mono"   -b 8 -e unsigned-integer
sweep s16-44100-2.wav    44100 0.1 "$stereo" -b 16
sweep s24-96000.wav      96000 0.1 "$mono"   -b 24
sweep s32-22050.wav      22050 0.2 "$mono"   -b 32
sweep f32-32000.wav      32000 0.2 "$mono"   -b 32 -e floating-point
sweep f64-48000.wav      48000 0.05 "$mono"   -b 64 -e floating-point
sweep s16-16000-8.wav    16000 0.1 "$eight"  -b 16
sweep s16-192000.wav    192000 0.05 "$mono"   -b 16

mp3() { # NAME RATE MIX [lame options]
    out=$1
    sweep "$dir/in.wav" "$2" 1 "$3" -b 16
    shift 3
    lame --quiet "$@" "$dir/in.wav" "$out"
}
mp3 cbr-44100-2.mp3  44100 "$stereo" -b 64
mp3 cbr192-44100.mp3 44100 "$mono"   -m m -b 192
mp3 vbr-48000.mp3    48000 "$mono"   -m m -V 4 --tt Sweep --add-id3v2 --pad-id3v2-size 2000
mp3 vbr-32000-2.mp3  32000 "$stereo" -m j -V 5
mp3 cbr-22050.mp3    22050 "$mono"   -m m -b 32
mp3 cbr-22050-2.mp3  22050 "$stereo" -m j -b 96
mp3 vbr-24000.mp3    24000 "$mono"   -m m -V 4
mp3 cbr-16000-2.mp3  16000 "$stereo" -m s -b 48
mp3 cbr-11025.mp3    11025 "$mono"   -m m -b 16
mp3 cbr-12000-2.mp3  12000 "$stereo" -m j -b 32
mp3 cbr-8000.mp3      8000 "$mono"   -m m -b 16
mp3 crc-44100-2.mp3  44100 "$stereo" -m j -b 96 -p
mp3 bare-44100.mp3   44100 "$mono"   -m m -b 64 -t

sweep "$dir/in.wav" 44100 0.25 "$stereo" -b 16
flac --totally-silent -f -8 -o s16-44100-2.flac "$dir/in.wav"
sweep "$dir/in.wav" 96000 0.1 "$mono" -b 24
flac --totally-silent -f -5 -o s24-96000.flac "$dir/in.wav"

ogg() { # NAME RATE MIX [oggenc options]
    out=$1
    sweep "$dir/in.wav" "$2" 1 "$3" -b 16
    shift 3
    oggenc -Q -s 1 "$@" -o "$out" "$dir/in.wav"
}
ogg q3-44100-2.ogg 44100 "$stereo" -q 3
ogg q6-48000.ogg   48000 "$mono"   -q 6
ogg q0-8000.ogg     8000 "$mono"   -q 0
ogg q10-32000.ogg  32000 "$mono"   -q 10

opus() { # NAME RATE MIX [opusenc options]
    out=$1
    sweep "$dir/in.wav" "$2" 1 "$3" -b 16
    shift 3
    opusenc --quiet --serial 1 "$@" "$dir/in.wav" "$out"
}
opus 96k-2.opus 48000 "$stereo" --bitrate 96
opus 24k.opus   44100 "$mono"   --bitrate 24 --framesize 60
