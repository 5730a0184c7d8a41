"""Elsewhere: modules that Ansible's well-known collections have and this does not, by name; a task may name one and never run."""

from __future__ import annotations

# The collections of Ansible's community package. What is in them is not listed here: any name may be there.
COLLECTIONS = frozenset(
    ["amazon.aws", "ansible.mysql", "ansible.netcommon", "ansible.posix", "ansible.utils", "ansible.windows", "arista.eos", "awx.awx", "azure.azcollection", "check_point.mgmt", "chocolatey.chocolatey", "cisco.aci", "cisco.asa", "cisco.ios", "cisco.iosxr", "cisco.meraki", "cisco.nxos", "cloudscale_ch.cloud", "community.aws", "community.ciscosmb", "community.crypto", "community.digitalocean", "community.dns", "community.docker", "community.general", "community.grafana", "community.hashi_vault", "community.hrobot", "community.library_inventory_filtering_v1", "community.libvirt", "community.mongodb", "community.mysql", "community.network", "community.okd", "community.postgresql", "community.proxmox", "community.proxysql", "community.rabbitmq", "community.routeros", "community.sap_libs", "community.sops", "community.vmware", "community.windows", "community.zabbix", "containers.podman", "cyberark.conjur", "dellemc.openmanage", "dellemc.powerflex", "f5networks.f5_modules", "fortinet.fortimanager", "fortinet.fortios", "freeipa.ansible_freeipa", "frr.frr", "gluster.gluster", "google.cloud", "grafana.grafana", "hetzner.hcloud", "hitachivantara.vspone_block", "ibm.qradar", "ibm.spectrum_virtualize", "icinga.icinga", "infinidat.infinibox", "influxdata.influxdb", "inspur.ispim", "junipernetworks.junos", "kubernetes.core", "kubevirt.core", "lowlydba.sqlserver", "mellanox.onyx", "microsoft.ad", "microsoft.iis", "netapp.ontap", "netapp.storagegrid", "netbox.netbox", "ngine_io.cloudstack", "openstack.cloud", "openvswitch.openvswitch", "ovirt.ovirt", "prometheus.prometheus", "purestorage.flasharray", "purestorage.flashblade", "redhat.rhel_system_roles", "sensu.sensu_go", "splunk.es", "telekom_mms.icinga_director", "theforeman.foreman", "vmware.vmware", "vultr.cloud", "vyos.vyos", "wti.remote"]
)  # fmt: skip

# Names that were Ansible's own before it was split into collections, and are written without one to this day.
SHORT = {
    name: collection
    for collection, names in {
        "community.general": """aix_inittab airbrake_deployment ali_instance ansible_galaxy_install apt_repo apt_rpm atomic_container awall
            beadm bitbucket_pipeline_variable bower btrfs_subvolume bundler bzr campfire cargo cloudflare_dns cobbler_sync composer
            consul consul_acl consul_kv copr cpanm cronvar crypttab datadog_event datadog_monitor dconf deploy_helper dimensiondata_network
            django_manage dnsimple dnsmadeeasy dpkg_divert easy_install ejabberd_user elasticsearch_plugin emc_vnx_sg_member etcd3 facter
            filesize filesystem flatpak flatpak_remote flowdock gandi_livedns gconftool2 gio_mime git_config github_deploy_key
            github_issue github_key github_release github_repo github_webhook gitlab_group gitlab_project gitlab_runner
            gitlab_user grove haproxy heroku_collaborator hg hipchat homebrew homebrew_cask homebrew_tap hponcfg htpasswd icinga2_feature
            icinga2_host influxdb_database influxdb_query influxdb_retention_policy influxdb_user influxdb_write ini_file installp
            interfaces_file ip_netns ipa_group ipa_host ipa_user ipinfoio_facts irc iso_create iso_extract jabber java_cert java_keystore
            jboss jenkins_job jenkins_plugin jenkins_script jira kernel_blacklist keycloak_client keycloak_realm launchd layman lbu ldap_attr
            ldap_attrs ldap_entry ldap_passwd ldap_search librato_annotation linode linode_v4 listen_ports_facts logentries logstash_plugin lvg lvol
            lxc_container lxca_cmms lxd_container lxd_profile macports mail make manageiq_user maven_artifact mksysb monit mqtt mssql_db
            nagios newrelic_deployment nginx_status_facts nictagadm nmcli nomad_job nosh nsupdate odbc office_365_connector_card ohai one_vm
            onepassword_info open_iscsi openbsd_pkg opendj_backendprop openwrt_init opkg osx_defaults ovh_ip_failover packet_device pacemaker_cluster pagerduty
            pagerduty_alert pam_limits pamd parted pear pids pingdom pip_package_info pipx pkg5 pkg5_publisher pkgin pkgng pkgutil portage portinstall
            proxmox proxmox_kvm puppet pushbullet pushover rax read_csv redis redhat_subscription rhel_facts rhn_channel rhn_register rhsm_release
            rhsm_repository riak rocketchat rollbar_deployment rundeck_project runit sap_task_list say scaleway_compute sefcontext selinux_permissive
            selogin sendgrid sensu_check sensu_client seport serverless shutdown slack slackpkg smartos_image_facts snap snap_alias snmp_facts solaris_zone
            sorcery spectrum_device ss_3par_cpg ssh_config stackdriver statusio_maintenance sudoers supervisorctl svc svr4pkg swdepot swupd
            syslogger syspatch sysrc sysupgrade taiga_issue telegram terraform twilio typetalk udm_user uptimerobot urpmi utm_proxy_location
            vertica_db vexata_volume vmadm wakeonlan wdc_redfish_info xattr xbps xcc_redfish_command xenserver_guest xfconf xfs_quota xml
            yarn zfs zfs_delegate_admin znode zpool_facts zypper_repository""",
        "community.crypto": """acme_account acme_certificate acme_certificate_revoke acme_inspect certificate_complete_chain ecs_certificate
            get_certificate luks_device openssh_cert openssh_keypair openssl_certificate openssl_certificate_info openssl_csr openssl_csr_info
            openssl_dhparam openssl_pkcs12 openssl_privatekey openssl_privatekey_info openssl_publickey x509_certificate x509_certificate_info
            x509_crl""",
        "community.docker": """docker_compose docker_config docker_container docker_container_info docker_host_info docker_image
            docker_image_info docker_login docker_network docker_network_info docker_node docker_node_info docker_prune docker_secret
            docker_service docker_stack docker_swarm docker_swarm_info docker_swarm_service docker_volume docker_volume_info""",
        "ansible.posix": "at firewalld patch seboolean synchronize",
        "community.mysql": "mysql_db mysql_info mysql_query mysql_replication mysql_user mysql_variables",
        "community.postgresql": """postgresql_copy postgresql_idx postgresql_lang postgresql_membership postgresql_owner
            postgresql_pg_hba postgresql_publication postgresql_sequence postgresql_slot postgresql_subscription postgresql_table
            postgresql_tablespace postgresql_user_obj_stat_info""",
        "community.proxysql": "proxysql_backend_servers proxysql_global_variables proxysql_manage_config proxysql_mysql_users proxysql_query_rules",
        "community.mongodb": "mongodb_parameter mongodb_replicaset mongodb_shard mongodb_user",
        "community.rabbitmq": """rabbitmq_binding rabbitmq_exchange rabbitmq_global_parameter rabbitmq_parameter rabbitmq_plugin rabbitmq_policy
            rabbitmq_publish rabbitmq_queue rabbitmq_user rabbitmq_vhost rabbitmq_vhost_limits""",
        "community.zabbix": "zabbix_action zabbix_group zabbix_host zabbix_hostmacro zabbix_maintenance zabbix_screen zabbix_template",
        "community.grafana": "grafana_dashboard grafana_datasource grafana_plugin",
        "community.libvirt": "virt virt_net virt_pool",
        "community.windows": """win_firewall win_iis_website win_nssm win_psmodule win_scheduled_task win_timezone win_unzip win_xml""",
        "ansible.windows": """win_acl win_command win_copy win_dns_client win_domain win_environment win_feature win_file win_find win_get_url
            win_group win_group_membership win_hostname win_lineinfile win_package win_path win_ping win_powershell win_reboot win_reg_stat
            win_regedit win_service win_setup win_share win_shell win_stat win_template win_updates win_uri win_user win_wait_for win_whoami""",
        "chocolatey.chocolatey": "win_chocolatey win_chocolatey_config win_chocolatey_feature win_chocolatey_source",
        "amazon.aws": """aws_caller_info aws_s3 cloudformation ec2 ec2_ami ec2_group ec2_instance ec2_instance_info ec2_key ec2_metadata_facts
            ec2_snapshot ec2_tag ec2_vol ec2_vpc_net ec2_vpc_subnet iam_role iam_user lambda rds_instance route53 s3_bucket""",
        "containers.podman": "podman_container podman_image podman_image_info podman_volume podman_volume_info",
        "kubernetes.core": "helm helm_info helm_repository k8s k8s_exec k8s_facts k8s_info k8s_scale k8s_service",
        "openstack.cloud": "os_image os_keypair os_network os_security_group os_server os_volume",
        "gluster.gluster": "gluster_peer gluster_volume",
        "openvswitch.openvswitch": "openvswitch_bridge openvswitch_port",
        "ngine_io.exoscale": "exo_dns_domain exo_dns_record",
    }.items()
    for name in names.split()
}  # fmt: skip


def collection_of(name: str) -> str:
    """The collection that has the module of that name, or may have it; nothing where no collection is known to."""
    namespace = name.rpartition(".")[0]
    if not namespace:
        return SHORT.get(name, "")
    return namespace if namespace in COLLECTIONS else ""
