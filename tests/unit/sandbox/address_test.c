#include "sandbox/parts/address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT 27017

static struct address_want want(const char *seed)
{
	return (struct address_want){
	    .hosts_first = 11, .hosts = 3, .main_port = PORT, .ports_host = 1, .ports = 5, .range = -1, .seed = seed};
}

static int listen_at(const char *address, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(inet_pton(AF_INET, address, &at.sin_addr) == 1);
	cr_assert(!bind(fd, (struct sockaddr *)&at, sizeof at) && !listen(fd, 1), "%s:%u", address, port);
	return fd;
}

Test(address, texts_of_ranges_come_back)
{
	static const char *const bad[] = {"127.63.0.0/24", "127.128.0.0/24", "127.64.256.0/24", "127.64.0.1/24",
	    "127.64.00.0/24", "127.64.0.0/24 ", "127.64.0.0", "", "10.0.0.0/24", "127.64.0.0/240"};
	char text[24], address[ADDRESS_MAX];
	int range;

	for (int r = 0; r < ADDRESS_RANGES; r += 37) {
		cr_assert(address_range_parse(address_range_text(r, text), &range), "%s", text);
		cr_assert_eq(range, r);
	}
	cr_assert_str_eq(address_range_text(ADDRESS_RANGES - 1, text), "127.127.255.0/24");
	cr_assert_str_eq(address_text(256, 11, address), "127.65.0.11");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_not(address_range_parse(bad[i], &range), "%s", bad[i]);
}

Test(address, the_same_seed_twice_gets_two_ranges_and_two_blocks)
{
	struct address_hold a = ADDRESS_HOLD_INIT, b = ADDRESS_HOLD_INIT;
	struct address_want w = want("the same");
	struct err err = ERR_INIT;

	cr_assert(address_take(&w, &a, &err), "%s", err.msg);
	cr_assert(address_take(&w, &b, &err), "%s", err.msg);
	cr_expect_neq(a.range, b.range);
	cr_expect_neq(a.ports, b.ports);
	address_release(&a);
	address_release(&b);
}

Test(address, a_range_that_is_held_is_refused_by_name_and_free_after_its_holder_died)
{
	struct address_hold a = ADDRESS_HOLD_INIT;
	struct address_want w = want("held");
	struct err err = ERR_INIT;
	pid_t child;
	int status;

	cr_assert(address_take(&w, &a, &err), "%s", err.msg);
	w.range = a.range;
	w.port_block = a.ports;
	child = fork();
	if (!child) {
		struct address_hold b;

		_exit(address_take(&w, &b, &err) || err.code != ERR_EXISTS || !strstr(err.msg, "another sandbox"));
	}
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
	address_release(&a);

	child = fork();
	if (!child)
		_exit(!address_take(&w, &a, &err)); /* dies with it */
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
	cr_assert(address_take(&w, &a, &err), "%s", err.msg);
	address_release(&a);
}

Test(address, a_taken_port_is_named_or_stepped_over)
{
	struct address_hold a = ADDRESS_HOLD_INIT, b = ADDRESS_HOLD_INIT;
	struct address_want w = want("a taken port");
	struct err err = ERR_INIT;
	char address[ADDRESS_MAX], wanted[80];
	int fd;

	cr_assert(address_take(&w, &a, &err), "%s", err.msg);
	w.range = a.range;
	address_release(&a);
	fd = listen_at(address_text(w.range, 12, address), PORT);
	cr_expect_not(address_take(&w, &b, &err));
	snprintf(wanted, sizeof wanted, "port %d of address %s is taken", PORT, address);
	cr_expect(strstr(err.msg, wanted), "%s", err.msg);
	cr_expect_eq(b.range_fd, -1);

	w.range = -1;
	err = (struct err)ERR_INIT;
	cr_expect(address_take(&w, &b, &err), "%s", err.msg);
	address_release(&b);
	close(fd);
}

Test(address, a_block_is_free_only_if_its_grpc_ports_are_too)
{
	struct address_hold a = ADDRESS_HOLD_INIT, b = ADDRESS_HOLD_INIT;
	struct address_want w = want("grpc");
	struct err err = ERR_INIT;
	int fd;

	cr_assert(address_take(&w, &a, &err), "%s", err.msg);
	w.port_block = a.ports;
	address_release(&a);
	fd = listen_at("127.0.0.1", (uint16_t)(w.port_block + 2 + PORTS_GRPC_OFFSET));
	cr_expect_not(address_take(&w, &b, &err));
	cr_expect_eq(err.code, ERR_EXISTS);
	close(fd);
	cr_expect(address_take(&w, &b, NULL));
	address_release(&b);
}

Test(address, the_last_block_stays_below_the_ephemeral_ports)
{
	cr_assert_lt(PORT_BLOCK_FIRST + PORT_BLOCKS * PORTS_PER_BLOCK + PORTS_GRPC_OFFSET, 32768 + 1);
}
