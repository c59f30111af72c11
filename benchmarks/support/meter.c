/* A JACK client that plays notes into a synthesiser at known frames and records what comes out.
 *
 *   meter PART CHANNEL NOTE VELOCITY COUNT SPACING FILE
 *
 * It waits for two audio outputs and a MIDI input whose names contain PART, connects them and
 * sends COUNT notes about SPACING frames apart, each at another place of the block. The recording
 * goes to FILE as float32 mono; the frame of each note, counted from its start, to stdout.
 * COUNT 0: a note every SPACING frames until something is heard, then the time of that on stdout.
 * All memory is had before the first period: the process callback cannot jitter.
 */
#include <errno.h>
#include <jack/jack.h>
#include <jack/midiport.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEARD 1e-3f
#define TIMEOUT_S 20.0

static jack_client_t *client;
static jack_port_t *inputs[2], *notes_out;
static unsigned char note_on[3];
static long *note_frames, count, next_note, spacing;
static float *recording;
static long frames_total, position;
static jack_nframes_t start;
static atomic_int running, finished, xruns, started;
static _Atomic double heard_s;

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int on_xrun(void *unused) {
    (void)unused;
    atomic_fetch_add(&xruns, 1);
    return 0;
}

static void send(void *midi, jack_nframes_t at) {
    jack_midi_event_write(midi, at, note_on, 3);
}

static void listen_once(const float *left, const float *right, void *midi, jack_nframes_t n) {
    for (jack_nframes_t i = 0; i < n; i++)
        if (fabsf(left[i]) + fabsf(right[i]) > HEARD) {
            heard_s = now_s();
            finished = 1;
            return;
        }
    if (position >= next_note) {
        send(midi, 0);
        next_note += spacing;
    }
    position += n;
}

static int process(jack_nframes_t n, void *unused) {
    (void)unused;
    void *midi = jack_port_get_buffer(notes_out, n);
    jack_midi_clear_buffer(midi);
    if (!running || finished) return 0;
    const float *left = jack_port_get_buffer(inputs[0], n);
    const float *right = jack_port_get_buffer(inputs[1], n);
    if (count == 0) {
        listen_once(left, right, midi, n);
        return 0;
    }
    jack_nframes_t now = jack_last_frame_time(client);
    if (!started) {
        start = now;
        started = 1;
    }
    position = (long)(jack_nframes_t)(now - start);  /* a lost period stays silent */
    while (next_note < count && note_frames[next_note] < position + (long)n) {
        long at = note_frames[next_note++] - position;
        send(midi, at < 0 ? 0 : (jack_nframes_t)at);
    }
    for (jack_nframes_t i = 0; i < n && position + i < frames_total; i++)
        recording[position + i] = 0.5f * (left[i] + right[i]);
    if (position + (long)n >= frames_total) finished = 1;
    return 0;
}

/* Connects to the first `wanted` ports like that; 0 while they are not there. */
static int connect_to(const char *part, const char *type, unsigned long flags, int wanted) {
    const char **found = jack_get_ports(client, NULL, type, flags);
    int done = 0;
    for (int i = 0; found && found[i] && done < wanted; i++) {
        if (!strstr(found[i], part) || !strncmp(found[i], "meter", 5)) continue;
        const char *own = jack_port_name(wanted == 2 ? inputs[done] : notes_out);
        int error = wanted == 2 ? jack_connect(client, found[i], own)
                                : jack_connect(client, own, found[i]);
        done += error == 0 || error == EEXIST;
    }
    jack_free(found);
    return done == wanted;
}

static void prepare_notes(void) {
    unsigned long random = 12345;
    next_note = 0;
    note_frames = calloc(count + 1, sizeof *note_frames);
    for (long i = 0; i < count; i++) {
        random = random * 6364136223846793005UL + 1442695040888963407UL;
        note_frames[i] = 24000 + i * spacing + (long)((random >> 33) % (spacing / 2));
    }
    frames_total = 24000 + count * spacing + 48000;
    recording = calloc(frames_total, sizeof *recording);
    for (long i = 0; i < frames_total; i += 1024) recording[i] = 0.0f;  /* touch the pages */
}

static int wait_for(atomic_int *flag, double seconds) {
    double until_s = now_s() + seconds;
    while (!*flag && now_s() < until_s) usleep(1000);
    return *flag;
}

int main(int argc, char **argv) {
    if (argc != 8) return fprintf(stderr, "usage: see the top of meter.c\n"), 2;
    const char *part = argv[1];
    int channel = atoi(argv[2]) - 1;
    note_on[0] = 0x90 | channel, note_on[1] = atoi(argv[3]), note_on[2] = atoi(argv[4]);
    count = atol(argv[5]), spacing = atol(argv[6]);
    client = jack_client_open("meter", JackNoStartServer, NULL);
    if (!client) return fprintf(stderr, "no JACK server\n"), 1;
    for (int i = 0; i < 2; i++)
        inputs[i] = jack_port_register(client, i ? "in_2" : "in_1", JACK_DEFAULT_AUDIO_TYPE,
                                       JackPortIsInput, 0);
    notes_out = jack_port_register(client, "out", JACK_DEFAULT_MIDI_TYPE, JackPortIsOutput, 0);
    prepare_notes();
    jack_set_process_callback(client, process, NULL);
    jack_set_xrun_callback(client, on_xrun, NULL);
    if (jack_activate(client)) return fprintf(stderr, "JACK refused the meter\n"), 1;
    printf("ready\n");
    fflush(stdout);
    double until_s = now_s() + TIMEOUT_S;
    int audio = 0, midi = 0;
    while (!(audio && midi) && now_s() < until_s) {
        audio = audio || connect_to(part, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 2);
        midi = midi || connect_to(part, JACK_DEFAULT_MIDI_TYPE, JackPortIsInput, 1);
        usleep(1000);
    }
    if (!(audio && midi)) return fprintf(stderr, "no ports like %s\n", part), 1;
    running = 1;
    if (!wait_for(&finished, 2.0 * frames_total / 48000 + TIMEOUT_S))
        return fprintf(stderr, "JACK stopped calling, or nothing was heard\n"), 1;
    running = 0;
    if (count == 0) {
        printf("%.6f\n", heard_s);
    } else {
        FILE *file = fopen(argv[7], "wb");
        if (!file || fwrite(recording, sizeof *recording, frames_total, file) < (size_t)frames_total)
            return fprintf(stderr, "cannot write %s\n", argv[7]), 1;
        fclose(file);
        printf("xruns %d\n", xruns);
        for (long i = 0; i < count; i++) printf("%ld\n", note_frames[i]);
    }
    fflush(stdout);
    jack_client_close(client);
    return 0;
}
