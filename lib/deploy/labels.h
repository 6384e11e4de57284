/* labels.h - the labels that say what belongs to an application; the release record builds on them.
 */
#pragma once

#define DEPLOY_LABEL_MANAGED_BY "app.kubernetes.io/managed-by"
#define DEPLOY_MANAGED_BY "msctl"
#define DEPLOY_LABEL_APP "msctl/app"
#define DEPLOY_LABEL_ENV "msctl/env"
