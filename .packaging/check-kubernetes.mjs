// SPDX-License-Identifier: BSD-2-Clause
//
// check-kubernetes.mjs FILE...: validates manifests and writes them into manifests.ts, for the compiler to check their
// types. See check-kubernetes.
import fs from "node:fs";
import path from "node:path";
import { parseAllDocuments } from "yaml";

function fail(where, what) {
	console.error(`${where}: ${what}`);
	process.exitCode = 1;
}

// What "restricted" asks of a pod, but for its volumes and the host's network.
function restricted(where, pod) {
	const all = pod.securityContext ?? {};
	if (all.seccompProfile?.type !== "RuntimeDefault")
		fail(where, "seccompProfile is not RuntimeDefault");
	for (const container of pod.containers) {
		const own = container.securityContext ?? {};
		if (!(own.runAsNonRoot ?? all.runAsNonRoot) || (own.runAsUser ?? all.runAsUser) === 0)
			fail(where, `${container.name} may run as root`);
		if (own.allowPrivilegeEscalation !== false || own.privileged || own.capabilities?.add ||
		    own.capabilities?.drop?.join() !== "ALL")
			fail(where, `${container.name} has privileges`);
	}
}

let types = "";
let checked = 0;
for (const file of process.argv.slice(2)) {
	for (const document of parseAllDocuments(fs.readFileSync(file, "utf8"), { strict: true })) {
		const manifest = document.toJS();
		const { apiVersion, kind, metadata } = manifest ?? fail(file, "has an empty document");
		const where = `${path.basename(file)}: ${kind} ${metadata.name}`;
		if (document.errors.length > 0)
			fail(where, document.errors);
		try {
			const models = await import(`kubernetes-models/${apiVersion}/${kind}`);
			new models[kind](manifest).validate();
		} catch (error) {
			fail(where, error.message);
		}
		// check-kubernetes has the programs read them.
		if (kind === "ConfigMap") {
			for (const [name, text] of Object.entries(manifest.data))
				fs.writeFileSync(name, text);
		}
		const pod = kind === "Pod" ? manifest.spec : manifest.spec?.template?.spec;
		if (pod)
			restricted(where, pod);
		types += `import { I${kind} as T${checked} } from "kubernetes-models/${apiVersion}/${kind}";\n` +
		    `export const m${checked}: T${checked} = ${JSON.stringify(manifest, null, 1)};\n`;
		checked++;
		console.log(`${where}: held against the schema of ${apiVersion}`);
	}
}
if (checked === 0)
	fail("check-kubernetes", "there is no manifest");
fs.writeFileSync("manifests.ts", types);
