/* HTTPS, with a certificate for another address than the one that is connected to. */
#include "base/file.h"
#include "kube/client.h"
#include "tests/support/certificate.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define NAMED "127.99.99.99"

static char host_seen[128];

static enum MHD_Result answer(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_size, void **request)
{
	const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
	struct MHD_Response *response = MHD_create_response_from_buffer(2, "{}", MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result = MHD_queue_response(connection, 200, response);

	(void)ctx, (void)url, (void)method, (void)version, (void)upload, (void)upload_size, (void)request;
	snprintf(host_seen, sizeof host_seen, "%s", host ? host : "");
	MHD_destroy_response(response);
	return result;
}

static struct MHD_Daemon *serve(const char *cert, const char *key, int *ret_port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	struct MHD_Daemon *daemon;

	inet_pton(AF_INET, "127.13.1.2", &addr.sin_addr);
	daemon = MHD_start_daemon(MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer, NULL,
	    MHD_OPTION_SOCK_ADDR, &addr, MHD_OPTION_HTTPS_MEM_CERT, cert, MHD_OPTION_HTTPS_MEM_KEY, key,
	    MHD_OPTION_END);
	cr_assert_not_null(daemon);
	*ret_port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	return daemon;
}

static bool ask(const struct kube_config *config, struct err *err)
{
	CLEANUP(kube) struct kube *k = NULL;

	*err = (struct err)ERR_INIT;
	cr_assert(kube_new(config, NULL, &k, err));
	return kube_get_raw(k, "/version?x=1", NULL, err);
}

Test(kube, other_name_for_tls_is_asked_for_and_verified)
{
	char dir[] = "/tmp/kube_tls_XXXXXX", cert_path[64], key_path[64], host[64];
	BUF_CLEANUP struct buf cert = BUF_INIT(65536);
	BUF_CLEANUP struct buf key = BUF_INIT(65536);
	struct kube_config config = {0};
	struct MHD_Daemon *daemon;
	struct err err = ERR_INIT;
	int port;

	signal(SIGPIPE, SIG_IGN);
	cr_assert_not_null(mkdtemp(dir));
	snprintf(cert_path, sizeof cert_path, "%s/cert", dir);
	snprintf(key_path, sizeof key_path, "%s/key", dir);
	cr_assert(certificate_make(NAMED, cert_path, key_path));
	cr_assert(file_read(cert_path, &cert, &err) && file_read(key_path, &key, &err));
	file_remove_tree(dir, &err);
	daemon = serve(buf_str(&cert), buf_str(&key), &port);
	snprintf(config.server, sizeof config.server, "https://127.13.1.2:%d", port);
	config.ca_pem = cert.data;
	cr_assert(!ask(&config, &err));
	cr_assert_eq(err.code, ERR_NET, "%s", err.msg);
	strcpy(config.tls_server_name, NAMED);
	cr_assert(ask(&config, &err), "%s", err.msg);
	snprintf(host, sizeof host, "127.13.1.2:%d", port);
	cr_assert_str_eq(host_seen, host);
	strcpy(config.tls_server_name, "127.99.99.98");
	cr_assert(!ask(&config, &err));
	config.ca_pem = NULL;
	strcpy(config.tls_server_name, NAMED);
	cr_assert(!ask(&config, &err));
	config.insecure = true;
	cr_assert(ask(&config, &err), "%s", err.msg);
	MHD_stop_daemon(daemon);
}
