/*
 * passwd.h - the user database of a root filesystem, read as a file (passwd(5)).
 *
 * Never through the C library: it would load the name service's modules, and inside a container those are the
 * image's (CVE-2019-14271). Safe in init: no allocation.
 */
#ifndef BASE_PASSWD_H
#define BASE_PASSWD_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The numbers of the user `name` in the open /etc/passwd, of the group `name` in the open /etc/group. Returns
 * 0, -ENOENT when there is none of that name, or another -errno.
 */
int passwd_user(int fd, const char *name, uid_t *uid, gid_t *gid);
int passwd_group(int fd, const char *name, gid_t *gid);

/*
 * The home directory of `uid` in the open /etc/passwd. Returns 0, -ENOENT when there is no such user or no
 * home, -ENAMETOOLONG, or another -errno. Lines that are none are passed over.
 */
int passwd_home(int fd, uid_t uid, char *buf, size_t size);

#endif
