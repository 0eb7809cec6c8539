/*
 * netdev.c - crt-netdev: move a network device into another network namespace, with its addresses
 * (config-linux.md, "Network Devices").
 *
 *     crt-netdev NETNS NAME NEW-NAME                 from here into the namespace NETNS; prints "NAME
 * up|down": what it is called now, and what it was before crt-netdev --back NETNS NAME NEW-NAME up|down  from
 * there to here
 *
 * The kernel drops a device's addresses when it moves it, and lets it be down. The specification wants those
 * kept that somebody has set to stay (permanent, of global scope), and the device up. What fails half way is
 * taken back. A program of its own, since crt is static and libmnl is not; crt runs it when a document asks.
 *
 * The exit code is an errno, and standard error says in words what it was about.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#define REQUEST_BYTES 512
#define ANSWER_BYTES  32768
#define PARTS_MAX     4
#define NO_ADDRESS_FLAGS                                                                                     \
	(IFA_F_PERMANENT | IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_SECONDARY | IFA_F_DEPRECATED)

/* One network namespace, seen through a socket that was made in it. */
struct side {
	struct mnl_socket *socket;
	int netns;
	unsigned sequence;
};

struct link {
	unsigned index;
	bool up;
	char name[IFNAMSIZ];
};

struct address {
	struct address *next;
	struct ifaddrmsg header;
	uint32_t flags;
	struct {
		uint16_t type, length;
		unsigned char bytes[16];
	} parts[PARTS_MAX];
	unsigned parts_count;
};

static int complain(int r, const char *what, const char *about)
{
	fprintf(stderr, "%s%s%s%s%s", what, *about ? " " : "", about, r ? ": " : "", r ? strerror(-r) : "");
	return r ? r : -EINVAL;
}

/* ---- rtnetlink ---- */

/* Send, and hand every answer to `take`. Returns 0 or -errno. */
static int ask(struct side *side, struct nlmsghdr *request, mnl_cb_t take, void *data)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	unsigned port = mnl_socket_get_portid(side->socket);

	request->nlmsg_seq = ++side->sequence;
	if (mnl_socket_sendto(side->socket, request, request->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(side->socket, answer, sizeof(answer));
		if (n < 0)
			return -errno;
		int r = mnl_cb_run(answer, (size_t)n, side->sequence, port, take, data);
		if (r <= MNL_CB_STOP)
			return r < 0 ? -errno : 0;
	}
}

static struct nlmsghdr *request(char *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	return header;
}

static int take_name(const struct nlattr *attribute, void *data)
{
	struct link *link = data;

	if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
		snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attribute));
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct link *link = data;

	link->index = (unsigned)info->ifi_index;
	link->up = info->ifi_flags & IFF_UP;
	return mnl_attr_parse(message, sizeof(*info), take_name, link);
}

/* By name, or by index when there is none. -ENODEV: there is no such device. */
static int find_link(struct side *side, const char *name, unsigned index, struct link *link)
{
	_Alignas(struct nlmsghdr) char buffer[REQUEST_BYTES];
	struct nlmsghdr *m = request(buffer, RTM_GETLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	info->ifi_index = (int)index;
	if (name)
		mnl_attr_put_strz(m, IFLA_IFNAME, name);
	return ask(side, m, take_link, link);
}

static int take_highest(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	unsigned *highest = data;

	if ((unsigned)info->ifi_index > *highest)
		*highest = (unsigned)info->ifi_index;
	return MNL_CB_OK;
}

static int highest_index(struct side *side, unsigned *highest)
{
	_Alignas(struct nlmsghdr) char buffer[REQUEST_BYTES];
	struct nlmsghdr *m = request(buffer, RTM_GETLINK, NLM_F_DUMP);

	*highest = 0;
	mnl_nlmsg_put_extra_header(m, sizeof(struct ifinfomsg));
	return ask(side, m, take_highest, highest);
}

static int set_up(struct side *side, unsigned index)
{
	_Alignas(struct nlmsghdr) char buffer[REQUEST_BYTES];
	struct nlmsghdr *m = request(buffer, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	info->ifi_index = (int)index;
	info->ifi_flags = info->ifi_change = IFF_UP;
	return ask(side, m, NULL, NULL);
}

static int send_to(
	struct side *from, const struct side *to, unsigned index, const char *name, unsigned new_index)
{
	_Alignas(struct nlmsghdr) char buffer[REQUEST_BYTES];
	struct nlmsghdr *m = request(buffer, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	info->ifi_index = (int)index;
	mnl_attr_put_u32(m, IFLA_NET_NS_FD, (uint32_t)to->netns);
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	mnl_attr_put_u32(m, IFLA_NEW_IFINDEX, new_index);
	return ask(from, m, NULL, NULL);
}

/* Its number goes along if it is free there; we need to know it, since the name may be a pattern. */
static int move_link(struct side *from, struct side *to, unsigned *index, const char *name)
{
	unsigned highest = *index - 1;
	int r = -EBUSY;

	for (int tries = 0; r == -EBUSY && tries < 8; tries++) {
		unsigned wanted = highest + 1;
		r = send_to(from, to, *index, name, wanted);
		if (r == 0)
			*index = wanted;
		else if (r == -EBUSY && highest_index(to, &highest) < 0)
			break;
	}
	return r;
}

/* ---- addresses ---- */

struct address_search {
	unsigned index;
	struct address *found;
};

static int take_part(const struct nlattr *attribute, void *data)
{
	struct address *a = data;
	uint16_t type = mnl_attr_get_type(attribute), length = mnl_attr_get_payload_len(attribute);
	bool kept = type == IFA_LOCAL || type == IFA_ADDRESS || type == IFA_BROADCAST ||
		    type == IFA_RT_PRIORITY;

	if (type == IFA_FLAGS)
		a->flags = mnl_attr_get_u32(attribute);
	if (kept && length <= sizeof(a->parts[0].bytes) && a->parts_count < PARTS_MAX) {
		a->parts[a->parts_count].type = type;
		a->parts[a->parts_count].length = length;
		memcpy(a->parts[a->parts_count++].bytes, mnl_attr_get_payload(attribute), length);
	}
	return MNL_CB_OK;
}

static int take_address(const struct nlmsghdr *message, void *data)
{
	struct address_search *search = data;
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);

	if (header->ifa_index != search->index || header->ifa_scope != RT_SCOPE_UNIVERSE)
		return MNL_CB_OK;
	struct address *a = calloc(1, sizeof(*a));
	if (!a)
		return MNL_CB_ERROR;
	a->header = *header;
	a->flags = header->ifa_flags;
	mnl_attr_parse(message, sizeof(*header), take_part, a);
	if (!(a->flags & IFA_F_PERMANENT)) {
		free(a);
		return MNL_CB_OK;
	}
	a->next = search->found;
	search->found = a;
	return MNL_CB_OK;
}

/* In the order in which the kernel has them: of those in one network the first is the primary one. */
static int list_addresses(struct side *side, unsigned index, struct address **list)
{
	_Alignas(struct nlmsghdr) char buffer[REQUEST_BYTES];
	struct nlmsghdr *m = request(buffer, RTM_GETADDR, NLM_F_DUMP);
	struct address_search search = {.index = index};

	mnl_nlmsg_put_extra_header(m, sizeof(struct ifaddrmsg));
	int r = ask(side, m, take_address, &search);
	*list = NULL;
	for (struct address *a = search.found, *next; a; a = next) {
		next = a->next;
		a->next = *list;
		*list = a;
	}
	return r;
}

static int add_address(struct side *side, unsigned index, const struct address *a)
{
	_Alignas(struct nlmsghdr) char buffer[REQUEST_BYTES];
	struct nlmsghdr *m = request(buffer, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(m, sizeof(*header));
	uint32_t flags = a->flags & ~(uint32_t)NO_ADDRESS_FLAGS;

	*header = a->header;
	header->ifa_index = index;
	header->ifa_flags = (unsigned char)flags;
	mnl_attr_put_u32(m, IFA_FLAGS, flags);
	for (unsigned i = 0; i < a->parts_count; i++)
		mnl_attr_put(m, a->parts[i].type, a->parts[i].length, a->parts[i].bytes);
	int r = ask(side, m, NULL, NULL);
	return r == -EEXIST ? 0 : r;
}

static int add_addresses(struct side *side, unsigned index, const struct address *list)
{
	for (const struct address *a = list; a; a = a->next) {
		int r = add_address(side, index, a);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- the whole way ---- */

static int name_is_free(struct side *to, const char *name)
{
	struct link other;

	if (strchr(name, '%'))
		return 0; /* a pattern, of which the kernel makes a name */
	int r = find_link(to, name, 0, &other);
	if (r == 0)
		return complain(-EEXIST, "the name is taken there", "");
	return r == -ENODEV ? 0 : complain(r, "asking for the device", name);
}

/* What could not be finished there: as it was here. */
static void take_back(struct side *here, struct side *there, unsigned index, const struct link *was,
	const struct address *addresses)
{
	if (move_link(there, here, &index, was->name) < 0)
		return;
	if (was->up)
		set_up(here, index);
	add_addresses(here, index, addresses);
}

static int move_device(
	struct side *from, struct side *to, const char *name, const char *new_name, bool up, bool as_it_was)
{
	struct address *addresses = NULL;
	struct link was = {0}, is = {0};

	int r = find_link(from, name, 0, &was);
	if (r < 0)
		return r == -ENODEV ? complain(r, "there is none of this name", "")
				    : complain(r, "asking for the device", name);
	r = name_is_free(to, new_name);
	if (r < 0)
		return r;
	r = list_addresses(from, was.index, &addresses);
	if (r < 0)
		return complain(r, "asking for its addresses", "");
	unsigned index = was.index;
	r = move_link(from, to, &index, new_name);
	if (r == -EEXIST)
		return complain(r, "the name is taken there", "");
	if (r < 0)
		return complain(r, r == -EINVAL ? "devices of this kind cannot be moved" : "moving it", "");
	r = up ? set_up(to, index) : 0;
	if (r < 0)
		complain(r,
			r == -ENETDOWN ? "the device that it is made on has to be up first" : "setting it up",
			"");
	else if ((r = add_addresses(to, index, addresses)) < 0)
		complain(r, "giving it its addresses again", "");
	else if ((r = find_link(to, NULL, index, &is)) < 0)
		complain(r, "finding it again", "");
	else if (!as_it_was)
		printf("%s %s\n", is.name, was.up ? "up" : "down");
	if (r < 0)
		take_back(from, to, index, &was, addresses);
	return r;
}

static int open_side(struct side *side, const char *path)
{
	side->netns = open(path, O_RDONLY | O_CLOEXEC);
	if (side->netns < 0 || setns(side->netns, CLONE_NEWNET) < 0)
		return complain(-errno, "entering the network namespace", path);
	side->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!side->socket || mnl_socket_bind(side->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return complain(-errno, "opening a netlink socket", "");
	return 0;
}

static bool are_the_same(int a, int b)
{
	struct stat st, other;

	return fstat(a, &st) == 0 && fstat(b, &other) == 0 && st.st_dev == other.st_dev &&
	       st.st_ino == other.st_ino;
}

int main(int argc, char *argv[])
{
	struct side here = {0}, there = {0};
	bool back = argc == 6 && strcmp(argv[1], "--back") == 0;

	if (argc != 4 && !back) {
		fprintf(stderr, "usage: crt-netdev [--back] NETNS NAME NEW-NAME [up|down]; crt runs this\n");
		return EINVAL;
	}
	char **words = argv + back;
	int r = open_side(&here, "/proc/self/ns/net");
	if (r == 0)
		r = open_side(&there, words[1]);
	if (r == 0 && are_the_same(here.netns, there.netns))
		r = complain(-EINVAL, "the container's network namespace is the one it is in", "");
	if (r == 0 && back)
		r = move_device(&there, &here, words[2], words[3], strcmp(words[4], "up") == 0, true);
	else if (r == 0)
		r = move_device(&here, &there, words[2], words[3], true, false);
	return -r;
}
