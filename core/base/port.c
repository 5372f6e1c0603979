/* See port.h. */
#include "port.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int bs_port_free(uint16_t *ret_port, struct bs_err *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
		     getsockname(fd, (struct sockaddr *)&address, &len) == 0;
	int error = errno;

	if (fd >= 0)
		close(fd);
	if (!bound)
		return bs_err_set(err, BS_ETARGET, "no free port on 127.0.0.1: %s", strerror(error));
	*ret_port = ntohs(address.sin_port);
	return 0;
}
