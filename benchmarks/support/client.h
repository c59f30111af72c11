/* What the benchmarks' JACK clients share: two audio inputs and, in a client of its own, a MIDI output;
 * the server's xruns. One client that both sends and hears would make a circle of the graph, which
 * JACK cuts by delaying one of the ways by a period, whoever is in it. */
#include <errno.h>
#include <jack/jack.h>
#include <jack/midiport.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static jack_client_t *client, *sender;
static jack_port_t *inputs[2], *midi_out;
static atomic_int running, started, finished, xruns;

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int on_xrun(void *unused) {
    (void)unused;
    if (running) atomic_fetch_add(&xruns, 1);
    return 0;
}

/* The client that listens, with its ports and the counter of xruns, not yet active; 0 without a server. */
static int open_client(const char *name) {
    client = jack_client_open(name, JackNoStartServer, NULL);
    if (!client) return fprintf(stderr, "no JACK server\n"), 0;
    for (int i = 0; i < 2; i++)
        inputs[i] = jack_port_register(client, i ? "in_2" : "in_1", JACK_DEFAULT_AUDIO_TYPE,
                                       JackPortIsInput, 0);
    jack_set_xrun_callback(client, on_xrun, NULL);
    return 1;
}

/* The second client, which sends, likewise. */
static int open_sender(const char *name) {
    sender = jack_client_open(name, JackNoStartServer, NULL);
    if (!sender) return fprintf(stderr, "no JACK server\n"), 0;
    midi_out = jack_port_register(sender, "out", JACK_DEFAULT_MIDI_TYPE, JackPortIsOutput, 0);
    return 1;
}

/* Connects to the first `wanted` ports like that of others; 0 while they are not there. */
static int connect_to(const char *part, const char *type, unsigned long flags, int wanted) {
    const char **found = jack_get_ports(client, NULL, type, flags);
    const char *self = jack_get_client_name(client);
    int done = 0;
    for (int i = 0; found && found[i] && done < wanted; i++) {
        if (!strstr(found[i], part) || !strncmp(found[i], self, strlen(self))) continue;
        const char *own = jack_port_name(wanted == 2 ? inputs[done] : midi_out);
        int error = wanted == 2 ? jack_connect(client, found[i], own)
                                : jack_connect(client, own, found[i]);
        done += error == 0 || error == EEXIST;
    }
    jack_free(found);
    return done == wanted;
}

/* Waits for two audio outputs and, where that is wanted, a MIDI input like `part`, and connects
 * them; 0 when they do not come in time. */
static int connect_all(const char *part, int with_midi, double timeout_s) {
    double until_s = now_s() + timeout_s;
    int audio = 0, midi = !with_midi;
    while (!(audio && midi) && now_s() < until_s) {
        audio = audio || connect_to(part, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 2);
        midi = midi || connect_to(part, JACK_DEFAULT_MIDI_TYPE, JackPortIsInput, 1);
        usleep(1000);
    }
    if (!(audio && midi)) return fprintf(stderr, "no ports like %s\n", part), 0;
    return 1;
}

static int wait_for(atomic_int *flag, double seconds) {
    double until_s = now_s() + seconds;
    while (!*flag && now_s() < until_s) usleep(1000);
    return *flag;
}
