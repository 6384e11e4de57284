#include "conf/project.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

static int load_text(const char *text, struct project *out, struct error *err)
{
	AUTO_FREE char *dir = NULL;
	AUTO_FREE char *file = NULL;
	int rc;

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-test-", &dir, err), 0);
	file = fs_join(dir, PROJECT_FILE);
	cr_assert_eq(fs_write_atomic(file, text, strlen(text), 0644, err), 0);
	rc = project_load(dir, NULL, out, err);
	cr_assert_eq(fs_remove_tree(dir, err), 0);
	return rc;
}

static void load(const char *text, struct project *out)
{
	struct error err = {0};

	cr_assert_eq(load_text(text, out, &err), 0, "%s", err.msg);
}

Test(project, defaults)
{
	AUTO(project) struct project p = {0};
	const struct project_environment *env = NULL;
	struct error err = {0};

	load("name: orders\n", &p);
	cr_expect_str_eq(p.name, "orders");
	cr_expect_str_eq(p.image, "orders");
	cr_expect_str_eq(p.version, "git");
	cr_expect_null(p.test);
	cr_expect_str_eq(p.build.base, "scratch");
	cr_expect_str_eq(p.build.user, "65532:65532");
	cr_expect_str_eq(p.build.compression, "gzip");
	cr_expect_str_eq(p.build.build_system, "auto");
	cr_expect(p.build.strip);
	cr_expect_eq(p.build.hardening, HARDENING_WARN);
	cr_expect_null(p.license);
	cr_expect(p.is_written);
	cr_expect(p.build.libraries);
	cr_expect_not(p.build.certificates);
	cr_expect_eq(p.build.platforms.count, 1);
	cr_expect_eq(p.timeout_ms, 300000);
	cr_assert_eq(project_environment(&p, NULL, &env, &err), 0);
	cr_expect_str_eq(env->name, "local");
	cr_expect_str_eq(env->target, "local");
}

/* Every key that the documentation names. */
Test(project, everything)
{
	static const char text[] =
		"apiVersion: msctl/v1\nname: orders\nimage: registry.example.com/shop/orders\nversion: "
		"'1.10'\n"
		"test: make check\nlicense: MIT\nbuild:\n  steps: [make release, strip x]\n  toolchain: "
		"gcc:12\n  base: "
		"debian:12\n"
		"  copy: {build/orders: /usr/bin/orders, etc: /}\n  libraries: none\n  certificates: "
		"true\n  timezones: yes\n"
		"  entrypoint: [/usr/bin/orders]\n  cmd: [--help]\n  user: '0:0'\n  workdir: /srv\n"
		"  ports: [8080, '9090', 53/udp]\n  env: {LOG_LEVEL: info, EMPTY: ''}\n  labels: {a.b: c}\n"
		"  platforms: [linux/amd64, linux/arm64]\n  compression: zstd\n  stopSignal: SIGINT\n"
		"  system: cmake\n  options: [-DX=1]\n  binary: usr/bin/orders\n  strip: false\n"
		"  sysroot: /opt/root\n  hardening: require\n"
		"  capabilities: {/usr/bin/orders: cap_net_raw=ep}\n"
		"  dockerfile: Dockerfile\n  context: .\n  args: {A: b}\n  target: runtime\n"
		"deploy:\n  kubernetes: [deploy/kubernetes]\n  swarm: deploy/compose.yaml\n  timeout: 90s\n"
		"environments:\n  local: {target: local}\n"
		"  staging: {target: kubernetes, context: staging, namespace: shop, vars: {HOST: "
		"a.example.com, COUNT: 3}}\n"
		"  prod:\n    context: prod\n    namespace: shop\n    from: staging\n    vars: {HOST: "
		"b.example.com, COUNT: 4}\n"
		"    exclude: [HorizontalPodAutoscaler, PodDisruptionBudget/orders]\n    patches:\n"
		"    - target: {kind: Deployment, name: orders}\n"
		"      merge: {spec: {replicas: '${COUNT}', host: 'https://${HOST}/'}}\n"
		"    - json6902: [{op: remove, path: /a}]\n"
		"  edge: {host: 'unix:///var/run/docker.sock'}\n"
		"verify:\n- http: http://x/health\n  expect: 200\nci: {stages: [build]}\nx-mine: "
		"{anything: goes}\n";
	AUTO(project) struct project p = {0};
	const struct project_environment *env = NULL;
	struct error err = {0};

	load(text, &p);
	cr_expect_str_eq(p.image, "registry.example.com/shop/orders");
	cr_expect_str_eq(p.version, "1.10");
	cr_expect_str_eq(p.test, "make check");
	cr_expect_str_eq(p.build.steps.items[1], "strip x");
	cr_expect_str_eq(p.build.toolchain, "gcc:12");
	cr_expect_str_eq(p.build.base, "debian:12");
	cr_expect_eq(p.build.copy_count, 2);
	cr_expect_str_eq(p.build.copy[0].from, "build/orders");
	cr_expect_str_eq(p.build.copy[0].to, "/usr/bin/orders");
	cr_expect_str_eq(p.build.copy[1].to, "/");
	cr_expect_not(p.build.libraries);
	cr_expect(p.build.certificates && p.build.timezones);
	cr_expect_str_eq(p.build.entrypoint.items[0], "/usr/bin/orders");
	cr_expect_str_eq(p.build.cmd.items[0], "--help");
	cr_expect_str_eq(p.build.workdir, "/srv");
	cr_expect_str_eq(p.build.ports.items[0], "8080/tcp");
	cr_expect_str_eq(p.build.ports.items[1], "9090/tcp");
	cr_expect_str_eq(p.build.ports.items[2], "53/udp");
	cr_expect_str_eq(p.build.env.items[0], "LOG_LEVEL=info");
	cr_expect_str_eq(p.build.env.items[1], "EMPTY=");
	cr_expect_eq(json_object_size(p.build.labels), 1);
	cr_expect_eq(p.build.platforms.count, 2);
	cr_expect_str_eq(p.build.stop_signal, "SIGINT");
	cr_expect_str_eq(p.license, "MIT");
	cr_expect_str_eq(p.build.build_system, "cmake");
	cr_expect_str_eq(p.build.options.items[0], "-DX=1");
	cr_expect_str_eq(p.build.binary, "usr/bin/orders");
	cr_expect_str_eq(p.build.sysroot, "/opt/root");
	cr_expect_not(p.build.strip);
	cr_expect_eq(p.build.hardening, HARDENING_REQUIRE);
	cr_expect_str_eq(json_string_value(json_object_get(p.build.capabilities, "/usr/bin/orders")),
					 "cap_net_raw=ep");
	cr_expect_str_eq(p.build.dockerfile, "Dockerfile");
	cr_expect_str_eq(p.kubernetes.items[0], "deploy/kubernetes");
	cr_expect_eq(p.timeout_ms, 90000);
	cr_expect_eq(p.environment_count, 4);
	cr_assert_eq(project_environment(&p, "prod", &env, &err), 0);
	cr_expect_str_eq(env->target, "kubernetes");
	cr_expect_str_eq(env->namespace_, "shop");
	cr_expect_str_eq(env->from, "staging");
	cr_expect_str_eq(doc_text(doc_get(p.yaml.documents[0], "environments.prod"), "vars.HOST", ""),
					 "b.example.com");
	cr_expect_eq(doc_int(env->vars, "COUNT", 0), 4);
	cr_expect_str_eq(env->exclude.items[1], "PodDisruptionBudget/orders");
	cr_expect_eq(env->patch_count, 2);
	cr_expect_str_eq(env->patches[0].kind, "Deployment");
	cr_expect_eq(doc_int(env->patches[0].merge, "spec.replicas", 0), 4);
	cr_expect_str_eq(doc_text(env->patches[0].merge, "spec.host", ""), "https://b.example.com/");
	cr_expect_null(env->patches[1].kind);
	cr_expect_not_null(env->patches[1].json6902);
	cr_assert_eq(project_environment(&p, "edge", &env, &err), 0);
	cr_expect_str_eq(env->target, "swarm");
}

/* Where the message points: the text behind the folder of the test. */
static const char *tail(const char *message)
{
	const char *at = strstr(message, PROJECT_FILE);

	return at ? at : message;
}

Test(project, refusals)
{
	static const struct {
		const char *text, *message, *hint;
	} rows[] = {
		{"", "msctl.yaml: the file is empty",
		 "a project file is one document that begins with 'name: NAME'"},
		{"name: a\n---\nname: b\n", "msctl.yaml: more than one document",
		 "a project file is one document that begins with 'name: NAME'"},
		{"- a\n", "msctl.yaml: expected an object, found an array", ""},
		{"image: x\n", "msctl.yaml: name: required, but not given",
		 "add a line like 'name: orders'"},
		{"name: a\nbild: {}\n", "msctl.yaml:2:1: bild: unknown key", "did you mean 'build'?"},
		{"name: a\nbuild:\n  stepz: []\n", "msctl.yaml:3:3: build.stepz: unknown key",
		 "did you mean 'steps'?"},
		{"name: a\nname: b\n", "msctl.yaml:2:1: the key 'name' was already given on line 1",
		 "remove one of the two"},
		{"name: Orders\n", "msctl.yaml:1:1: name: not a valid name",
		 "use lower-case letters, digits and '-', beginning with a letter, at most 63 characters"},
		{"name: a\napiVersion: msctl/v2\n",
		 "msctl.yaml:2:1: apiVersion: this msctl reads msctl/v1 only",
		 "write 'apiVersion: msctl/v1', or use a newer msctl"},
		{"name: a\nversion: 1.10\n", "msctl.yaml:2:1: version: expected text, found a number",
		 "put the value in quotes"},
		{"name: a\nbuild: {steps: make}\n",
		 "msctl.yaml:2:9: build.steps: expected an array of text, found text", ""},
		{"name: a\nbuild: {copy: {../x: /x}}\n",
		 "msctl.yaml:2:16: build.copy.../x: not a path inside the project",
		 "write it relative to the project's folder, without '..'"},
		{"name: a\nbuild: {copy: {x: x}}\n",
		 "msctl.yaml:2:16: build.copy.x: the target is no absolute path",
		 "write it like /usr/bin/NAME, without '..' and without a '/' at its end"},
		{"name: a\nbuild: {copy: {x: /../x}}\n",
		 "msctl.yaml:2:16: build.copy.x: the target is no absolute path",
		 "write it like /usr/bin/NAME, without '..' and without a '/' at its end"},
		{"name: a\nbuild: {ports: [0]}\n", "msctl.yaml:2:9: build.ports: not a port",
		 "write it like 8080 or 53/udp"},
		{"name: a\nbuild: {ports: [65536]}\n", "msctl.yaml:2:9: build.ports: not a port",
		 "write it like 8080 or 53/udp"},
		{"name: a\nbuild: {ports: [80/http]}\n", "msctl.yaml:2:9: build.ports: not a port",
		 "write it like 8080 or 53/udp"},
		{"name: a\nbuild: {libraries: some}\n",
		 "msctl.yaml:2:9: build.libraries: neither auto nor none",
		 "auto takes along the shared libraries that the copied programs need"},
		{"name: a\nbuild: {compression: lz4}\n",
		 "msctl.yaml:2:9: build.compression: neither gzip nor zstd", ""},
		{"name: a\nbuild: {env: {A=B: c}}\n",
		 "msctl.yaml:2:15: build.env.A=B: not the name of a variable", ""},
		{"name: a\nbuild: {env: {N: a}}\n",
		 "msctl.yaml:2:15: build.env.false: YAML reads this name as a truth",
		 "put the name in quotes"},
		{"name: a\nenvironments:\n  p: {vars: {y: a}}\n",
		 "msctl.yaml:3:14: environments.p.vars.true: YAML reads this name as a truth",
		 "put the name in quotes"},
		{"name: a\nbuild: {env: {A: 1}}\n",
		 "msctl.yaml:2:9: build.env: expected an object of text, found a number in it",
		 "put the value in quotes"},
		{"name: a\nbuild: {workdir: srv}\n", "msctl.yaml:2:9: build.workdir: not an absolute path",
		 ""},
		{"name: a\ndeploy: {timeout: soon}\n", "msctl.yaml:2:10: deploy.timeout: not a duration",
		 "write it like 30s, 5m or 1h30m"},
		{"name: a\ndeploy: {kubernets: []}\n", "msctl.yaml:2:10: deploy.kubernets: unknown key",
		 "did you mean 'kubernetes'?"},
		{"name: a\nenvironments:\n  p: 1\n", "msctl.yaml:3:3: environments.p: expected an object",
		 ""},
		{"name: a\nenvironments:\n  p: {contxt: x}\n",
		 "msctl.yaml:3:7: environments.p.contxt: unknown key", "did you mean 'context'?"},
		{"name: a\nenvironments:\n  p: {target: kubernets}\n",
		 "msctl.yaml:3:7: environments.p.target: none of local, kubernetes, swarm",
		 "did you mean 'kubernetes'?"},
		{"name: a\nenvironments:\n  p: {from: q}\n",
		 "msctl.yaml:3:7: environments.p.from: no such environment", ""},
		{"name: a\nenvironments:\n  p: {vars: {V: 1.10}}\n",
		 "msctl.yaml:3:14: environments.p.vars.V: expected text, a whole number or a truth",
		 "put the value in quotes"},
		{"name: a\nenvironments:\n  p: {context: '${C}'}\n",
		 "msctl.yaml:3:7: undefined variable 'C'",
		 "set it in 'vars' of the environment, or write ${C:-default}; $${ stands for a plain ${"},
		{"name: a\nenvironments:\n  p: {patches: [{target: {kind: x}}]}\n",
		 "msctl.yaml: environments.p.patches[0].merge: required, unless there is json6902", ""},
		{"name: a\nenvironments:\n  p: {patches: [{target: {knd: x}}]}\n",
		 "msctl.yaml:3:27: environments.p.patches[0].target.knd: unknown key",
		 "did you mean 'kind'?"},
		{"name: a\nverify: {}\n", "msctl.yaml:2:1: verify: expected an array, found an object", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct project p = {0};
		struct error err = {0};

		cr_expect_eq(load_text(rows[i].text, &p, &err), -1, "%s", rows[i].text);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect_str_eq(tail(err.msg), rows[i].message);
		cr_expect_str_eq(err.hint, rows[i].hint);
		cr_expect_null(p.file, "a failed load must leave *out alone");
	}
}

Test(project, missing_file)
{
	struct project p = {0};
	struct error err = {0};

	cr_expect_eq(project_load("/nonexistent", NULL, &p, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect(strstr(err.hint, "msctl new"));
}

Test(project, choosing_an_environment)
{
	AUTO(project) struct project one = {0};
	AUTO(project) struct project two = {0};
	const struct project_environment *env = NULL;
	struct error err = {0};

	load("name: a\nenvironments: {prod: {}}\n", &one);
	cr_assert_eq(project_environment(&one, NULL, &env, &err), 0);
	cr_expect_str_eq(env->name, "prod");
	load("name: a\nenvironments: {prod: {}, staging: {}}\n", &two);
	cr_expect_eq(project_environment(&two, NULL, &env, &err), -1);
	cr_expect_eq(err.code, ERR_USAGE);
	cr_expect_str_eq(err.hint, "choose one with -e: prod, staging");
	cr_expect_eq(project_environment(&two, "stagin", &env, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect_str_eq(err.hint, "did you mean 'staging'?");
	cr_expect_eq(project_environment(&two, "nothing", &env, &err), -1);
	cr_expect_str_eq(err.hint, "there are: prod, staging");
}

Test(project, names)
{
	static const struct {
		const char *name;
		bool valid;
	} rows[] = {
		{"a", true},
		{"orders-2", true},
		{"a-b", true},
		{"", false},
		{"A", false},
		{"2a", false},
		{"-a", false},
		{"a-", false},
		{"a.b", false},
		{"a/b", false},
		{"..", false},
		{"a b", false},
		{"a_b", false},
		{"é", false},
		{"a23456789012345678901234567890123456789012345678901234567890123", true},
		{"a234567890123456789012345678901234567890123456789012345678901234", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(project_name_is_valid(rows[i].name), rows[i].valid, "%s", rows[i].name);
}

/* A folder is a project without being asked, when a command can do without the file. */
Test(project, without_a_file_the_folder_gives_the_name)
{
	AUTO(project) struct project p = {0};
	AUTO_FREE char *root = NULL;
	AUTO_FREE char *dir = NULL;
	AUTO_FREE char *file = NULL;
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-test-", &root, &err), 0);
	dir = fs_join(root, "My_Service 2.0-");
	cr_assert_eq(fs_mkdirs(dir, 0755, &err), 0);
	cr_assert_eq(project_load_any(dir, NULL, &p, &err), 0, "%s", err.msg);
	cr_expect_str_eq(p.name, "my-service-2-0");
	cr_expect_str_eq(p.build.build_system, "auto");
	cr_expect_not(p.is_written);
	project_release(&p);
	file = fs_join(dir, PROJECT_FILE);
	cr_assert_eq(fs_write_atomic(file, "name: x\n", 8, 0644, &err), 0);
	cr_assert_eq(project_load_any(dir, NULL, &p, &err), 0, "%s", err.msg);
	cr_expect_str_eq(p.name, "x");
	cr_expect(p.is_written);
	cr_expect_eq(project_load_any(dir, "other.yaml", &p, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	fs_remove_tree(root, &err);
}

Test(project, build_words_out_of_their_lists)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"name: x\nbuild: {system: scons}\n", "build.system"},
		{"name: x\nbuild: {hardening: maybe}\n", "build.hardening"},
		{"name: x\nbuild: {strip: 1}\n", "build.strip"},
		{"name: x\nbuild: {sysroot: here}\n", "build.sysroot"},
		{"name: x\nbuild: {capabilities: {bin/x: cap_chown=ep}}\n", "build.capabilities.bin/x"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(project) struct project p = {0};
		struct error err = {0};

		cr_expect_eq(load_text(cases[i].text, &p, &err), -1, "%s", cases[i].text);
		cr_expect(strstr(err.msg, cases[i].says) && err.code == ERR_INPUT, "%s", err.msg);
	}
}
