/* A JACK client that records two outputs, with the time of every period; a second may send MIDI.
 *
 *   listen PART SECONDS EVENTS AUDIO TIMES
 *
 * It connects to two audio outputs whose names contain PART and, unless EVENTS is "-", to a MIDI
 * input like that. EVENTS: lines of a frame of the recording and three bytes, "48000 144 36 127";
 * a byte of -1 is not sent. "recording" on stdout says that the recording has begun. Then AUDIO
 * holds float32 stereo and TIMES a pair of doubles for each period: its first frame in the
 * recording and the CLOCK_MONOTONIC time at which it began; the server's xruns go to stdout.
 * All memory is had before the first period: the process callbacks cannot jitter.
 */
#include "client.h"

#define TIMEOUT_S 60.0 /* a first start compiles the mixer */

typedef struct { long frame; int bytes[3]; } event_t;

static event_t *events;
static long event_count, next_event, frames_total, period_count, periods_total;
static float *recording;
static double *times, clock_offset_s;
static jack_nframes_t start;

static void send_due(void *midi, long position, jack_nframes_t n) {
    while (next_event < event_count && events[next_event].frame < position + (long)n) {
        const event_t *event = &events[next_event++];
        jack_midi_data_t bytes[3];
        size_t size = 0;
        for (int i = 0; i < 3; i++)
            if (event->bytes[i] >= 0) bytes[size++] = (jack_midi_data_t)event->bytes[i];
        long at = event->frame - position;
        jack_midi_event_write(midi, at < 0 ? 0 : (jack_nframes_t)at, bytes, size);
    }
}

static int play(jack_nframes_t n, void *unused) {
    (void)unused;
    void *midi = jack_port_get_buffer(midi_out, n);
    jack_midi_clear_buffer(midi);
    if (running && started && !finished)
        send_due(midi, (long)(jack_nframes_t)(jack_last_frame_time(sender) - start), n);
    return 0;
}

static int record(jack_nframes_t n, void *unused) {
    (void)unused;
    if (!running || finished) return 0;
    const float *left = jack_port_get_buffer(inputs[0], n);
    const float *right = jack_port_get_buffer(inputs[1], n);
    jack_nframes_t frame;
    jack_time_t began_us, next_us;
    float period_us;
    jack_get_cycle_times(client, &frame, &began_us, &next_us, &period_us);
    if (!started) {
        start = frame;
        started = 1;
    }
    long position = (long)(jack_nframes_t)(frame - start); /* a lost period stays silent */
    if (period_count < periods_total) {
        times[2 * period_count] = (double)position;
        times[2 * period_count + 1] = 1e-6 * began_us + clock_offset_s;
        period_count++;
    }
    for (jack_nframes_t i = 0; i < n && position + i < frames_total; i++) {
        recording[2 * (position + i)] = left[i];
        recording[2 * (position + i) + 1] = right[i];
    }
    if (position + (long)n >= frames_total) finished = 1;
    return 0;
}

static int read_events(const char *path) {
    long room = 1024;
    events = malloc(room * sizeof *events);
    if (!strcmp(path, "-")) return 1;
    FILE *file = fopen(path, "r");
    event_t e;
    while (file && fscanf(file, "%ld %d %d %d", &e.frame, e.bytes, e.bytes + 1, e.bytes + 2) == 4) {
        if (event_count == room) events = realloc(events, (room *= 2) * sizeof *events);
        events[event_count++] = e;
    }
    return file && !fclose(file);
}

static int write_all(const char *path, const void *data, size_t size, size_t count) {
    FILE *file = fopen(path, "wb");
    return file && fwrite(data, size, count, file) == count && !fclose(file);
}

int main(int argc, char **argv) {
    if (argc != 6) return fprintf(stderr, "usage: see the top of listen.c\n"), 2;
    const char *part = argv[1];
    if (!read_events(argv[3])) return fprintf(stderr, "cannot read %s\n", argv[3]), 1;
    if (!open_client("listen") || !open_sender("listen-sender")) return 1;
    frames_total = (long)(atof(argv[2]) * jack_get_sample_rate(client));
    periods_total = frames_total / jack_get_buffer_size(client) + 16;
    recording = malloc(2 * frames_total * sizeof *recording);
    times = malloc(2 * periods_total * sizeof *times);
    memset(recording, 0, 2 * frames_total * sizeof *recording);
    memset(times, 0, 2 * periods_total * sizeof *times);
    clock_offset_s = now_s() - 1e-6 * jack_get_time();
    jack_set_process_callback(client, record, NULL);
    jack_set_process_callback(sender, play, NULL);
    if (jack_activate(client) || jack_activate(sender))
        return fprintf(stderr, "JACK refused the listener\n"), 1;
    if (!connect_all(part, strcmp(argv[3], "-"), TIMEOUT_S)) return 1;
    running = 1;
    printf("recording\n");
    fflush(stdout);
    if (!wait_for(&finished, 2 * atof(argv[2]) + TIMEOUT_S))
        return fprintf(stderr, "JACK stopped calling\n"), 1;
    running = 0;
    if (!write_all(argv[4], recording, 2 * sizeof *recording, frames_total)
        || !write_all(argv[5], times, 2 * sizeof *times, period_count))
        return fprintf(stderr, "cannot write %s\n", argv[4]), 1;
    printf("xruns %d\n", xruns);
    jack_client_close(sender);
    jack_client_close(client);
    return 0;
}
