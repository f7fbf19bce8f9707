/* A Modbus TCP server as libmodbus's own examples write one: one context, one
 * thread, and with more than one client a poll over the connections.
 *
 *   server CLIENTS   listens on a free port of 127.0.0.1, prints it, serves
 */
#include <arpa/inet.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST 64

static modbus_t *ctx;
static modbus_mapping_t *map;
static int listener;

/* One request of one connection; -1 when the connection has ended. */
static int serve_one(int fd) {
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_set_socket(ctx, fd);
    int n = modbus_receive(ctx, query);
    if (n > 0)
        modbus_reply(ctx, query, n, map);
    return n < 0 ? -1 : 0;
}

static int take(void) {
    int one = 1, fd = accept(listener, NULL, NULL);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void serve_single(void) {
    for (;;) {
        int fd = take();
        if (fd < 0)
            exit(1);
        while (serve_one(fd) == 0)
            ;
        close(fd);
    }
}

static void serve_many(void) {
    struct pollfd fds[MOST] = {{.fd = listener, .events = POLLIN}};
    int n = 1;
    for (;;) {
        if (poll(fds, n, -1) < 0)
            exit(1);
        for (int i = n - 1; i > 0; i--)
            if (fds[i].revents && serve_one(fds[i].fd) < 0) {
                close(fds[i].fd);
                fds[i] = fds[--n];
            }
        if (fds[0].revents && n < MOST) {
            fds[n].fd = take();
            fds[n].events = POLLIN;
            fds[n].revents = 0;
            if (fds[n].fd >= 0)
                n++;
        }
    }
}

int main(int argc, char **argv) {
    struct sockaddr_in addr;
    socklen_t size = sizeof addr;
    ctx = modbus_new_tcp("127.0.0.1", 0);
    map = modbus_mapping_new(0, 0, 1000, 1000);
    if (!ctx || !map || (listener = modbus_tcp_listen(ctx, MOST)) < 0 ||
        getsockname(listener, (struct sockaddr *)&addr, &size) < 0) {
        perror("server");
        return 1;
    }
    printf("%d\n", ntohs(addr.sin_port));
    fflush(stdout);
    if (argc > 1 && atoi(argv[1]) > 1)
        serve_many();
    serve_single();
}
