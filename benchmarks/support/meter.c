/* Two JACK clients: one plays notes into a synthesiser at known frames, one records what comes out.
 *
 *   meter PART CHANNEL NOTE VELOCITY COUNT SPACING FILE
 *
 * It waits for two audio outputs and a MIDI input whose names contain PART, connects them and
 * sends COUNT notes about SPACING frames apart, each at another place of the block. The recording
 * goes to FILE as float32 mono, NaN where the server lost a period; the frame of each note, counted
 * from its start, to stdout.
 * COUNT 0: a note every SPACING frames until something is heard, then the time of that on stdout.
 * All memory is had before the first period: the process callbacks cannot jitter.
 */
#include <math.h>

#include "client.h"

#define HEARD 1e-3f
#define TIMEOUT_S 20.0

static unsigned char note_on[3];
static long *note_frames, count, next_note, spacing;
static float *recording;
static long frames_total, sent_frames;
static jack_nframes_t start;
static _Atomic double heard_s;

static void send(void *midi, jack_nframes_t at) {
    jack_midi_event_write(midi, at, note_on, 3);
}

/* The sender's cycle, which comes before the synthesiser's. Frames are the server's own. */
static int play(jack_nframes_t n, void *unused) {
    (void)unused;
    void *midi = jack_port_get_buffer(midi_out, n);
    jack_midi_clear_buffer(midi);
    if (!running || finished) return 0;
    if (count == 0) {
        if (sent_frames >= next_note) {
            send(midi, 0);
            next_note += spacing;
        }
        sent_frames += n;
        return 0;
    }
    if (!started) return 0;  /* the first note is half a second away */
    long position = (long)(jack_nframes_t)(jack_last_frame_time(sender) - start);
    while (next_note < count && note_frames[next_note] < position + (long)n) {
        long at = note_frames[next_note] - position;
        if (at < 0) at = 0;  /* it was due in a period that the server lost */
        send(midi, (jack_nframes_t)at);
        note_frames[next_note++] = position + at;
    }
    return 0;
}

static void listen_once(const float *left, const float *right, jack_nframes_t n) {
    for (jack_nframes_t i = 0; i < n; i++)
        if (fabsf(left[i]) + fabsf(right[i]) > HEARD) {
            heard_s = now_s();
            finished = 1;
            return;
        }
}

/* The listener's cycle, which comes after the synthesiser's. */
static int listen(jack_nframes_t n, void *unused) {
    (void)unused;
    if (!running || finished) return 0;
    const float *left = jack_port_get_buffer(inputs[0], n);
    const float *right = jack_port_get_buffer(inputs[1], n);
    if (count == 0) {
        listen_once(left, right, n);
        return 0;
    }
    jack_nframes_t now = jack_last_frame_time(client);
    if (!started) {
        start = now;
        started = 1;
    }
    long position = (long)(jack_nframes_t)(now - start);  /* a lost period stays as it is */
    for (jack_nframes_t i = 0; i < n && position + i < frames_total; i++)
        recording[position + i] = 0.5f * (left[i] + right[i]);
    if (position + (long)n >= frames_total) finished = 1;
    return 0;
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
    for (long i = 0; i < frames_total; i++) recording[i] = NAN;
}

int main(int argc, char **argv) {
    if (argc != 8) return fprintf(stderr, "usage: see the top of meter.c\n"), 2;
    const char *part = argv[1];
    int channel = atoi(argv[2]) - 1;
    note_on[0] = 0x90 | channel, note_on[1] = atoi(argv[3]), note_on[2] = atoi(argv[4]);
    count = atol(argv[5]), spacing = atol(argv[6]);
    if (!open_client("meter") || !open_sender("meter-sender")) return 1;
    prepare_notes();
    jack_set_process_callback(client, listen, NULL);
    jack_set_process_callback(sender, play, NULL);
    if (jack_activate(client) || jack_activate(sender))
        return fprintf(stderr, "JACK refused the meter\n"), 1;
    printf("ready\n");
    fflush(stdout);
    if (!connect_all(part, 1, TIMEOUT_S)) return 1;
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
    jack_client_close(sender);
    jack_client_close(client);
    return 0;
}
