BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'bridge.store','m001_first','2026-11-25 03:19:21.066737+00:00');
CREATE TABLE "accounts" (
   "name" TEXT PRIMARY KEY,
   "network" TEXT,
   "identity" TEXT,
   "handle" TEXT,
   "url" TEXT
);
INSERT INTO "accounts" VALUES('m','mastodon','mastodon:mastodon.example/117659978956800000','anna@mastodon.example','https://mastodon.example/@anna');
INSERT INTO "accounts" VALUES('b','bluesky','bluesky:did:plc:eryy2chojruafzslmkd5tzji','anna.test','https://bsky.app/profile/anna.test');
INSERT INTO "accounts" VALUES('x','twitter','twitter:188005024184452355','@anna','https://x.com/anna');
INSERT INTO "accounts" VALUES('m2','mastodon','mastodon:mastodon.example/117659978956800001','berit@mastodon.example','https://mastodon.example/@berit');
INSERT INTO "accounts" VALUES('b2','bluesky','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','berit.test','https://bsky.app/profile/berit.test');
CREATE TABLE "cursors" (
   "bot" TEXT,
   "source" TEXT,
   "target" TEXT,
   "stream" TEXT,
   "cursor" TEXT,
   "started_at" TEXT,
   PRIMARY KEY ("bot", "source", "target", "stream")
);
INSERT INTO "cursors" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','posts','117677005733888000','2026-11-22T12:00:00+00:00');
INSERT INTO "cursors" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','posts','117677005733888000','2026-11-22T12:00:00+00:00');
INSERT INTO "cursors" VALUES('pair','mastodon:mastodon.example/117659978956800001','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','posts','117659979218944000','2026-11-22T12:00:00+00:00');
INSERT INTO "cursors" VALUES('pair','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','mastodon:mastodon.example/117659978956800001','posts','{"rev": "3n2vlhtjcw222", "mark": "3n2vlhtjcw222"}','2026-11-22T12:00:00+00:00');
CREATE TABLE "drafts" (
   "id" INTEGER PRIMARY KEY,
   "bot" TEXT,
   "target" TEXT NOT NULL,
   "source" TEXT NOT NULL,
   "source_id" TEXT NOT NULL,
   "source_url" TEXT,
   "part" INTEGER NOT NULL,
   "parts" INTEGER,
   "generation" INTEGER NOT NULL,
   "key" TEXT NOT NULL,
   "draft" TEXT NOT NULL,
   "backfill" INTEGER,
   "state" TEXT NOT NULL,
   "attempts" INTEGER,
   "not_before" TEXT,
   "blocks" TEXT,
   "attempted_at" TEXT,
   "doubted_at" TEXT,
   "newest" TEXT,
   "absences" INTEGER,
   "uploads" TEXT,
   "uploaded_at" TEXT,
   "payload" TEXT,
   "error" TEXT
);
INSERT INTO "drafts" VALUES(1,'daily','bluesky:did:plc:eryy2chojruafzslmkd5tzji','mastodon:mastodon.example/117659978956800000','117659979022336000','https://mastodon.example/@anna/117659979022336000',1,1,0,'8755b3a6b1c0e22ff302a461908d8b1c59b4a489979391a94f8e9bfb3a36b129','{"runs":[{"text":"Første innlegg, med lenke ","kind":"text","target":"","name":""},{"text":"example.com/a?b=1","kind":"link","target":"https://example.com/a?b=1","name":""}],"created_at":"2026-11-22T12:00:01+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[]}',0,'sent',0,NULL,'','2026-11-22T12:00:04+00:00','2026-11-22T12:00:04+00:00','',0,NULL,NULL,'{"rkey":"3n2vkvs3xut6m","record":{"$type":"app.bsky.feed.post","text":"Første innlegg, med lenke example.com/a?b=1","createdAt":"2026-11-22T12:00:01.000Z","tribridgeKey":"8755b3a6b1c0e22ff302a461908d8b1c59b4a489979391a94f8e9bfb3a36b129","facets":[{"index":{"byteStart":27,"byteEnd":44},"features":[{"$type":"app.bsky.richtext.facet#link","uri":"https://example.com/a?b=1"}]}]}}','');
INSERT INTO "drafts" VALUES(2,'daily','bluesky:did:plc:eryy2chojruafzslmkd5tzji','mastodon:mastodon.example/117659978956800000','117659979087872000','https://mastodon.example/@anna/117659979087872000',1,1,0,'a9ef4750ea5b0dafb0dcdcb5222d1b8a4475f065a02c73d471f12a373f02222e','{"runs":[{"text":"Og fortsettelsen 🧵","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:00:02+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":{"id":"117659979022336000","account":"mastodon:mastodon.example/117659978956800000","url":"","uri":"","cid":""},"losses":[]}',0,'sent',0,NULL,'','2026-11-22T12:00:04+00:00','2026-11-22T12:00:04+00:00','',0,NULL,NULL,'{"rkey":"3n2vkvsxx6bwx","record":{"$type":"app.bsky.feed.post","text":"Og fortsettelsen 🧵","createdAt":"2026-11-22T12:00:02.000Z","tribridgeKey":"a9ef4750ea5b0dafb0dcdcb5222d1b8a4475f065a02c73d471f12a373f02222e","reply":{"root":{"uri":"at://did:plc:eryy2chojruafzslmkd5tzji/app.bsky.feed.post/3n2vkvs3xut6m","cid":"bafyreicxsthucp5c7a5pnudo2exha2slmzzxqdpirixai2vyahuwqul3si"},"parent":{"uri":"at://did:plc:eryy2chojruafzslmkd5tzji/app.bsky.feed.post/3n2vkvs3xut6m","cid":"bafyreicxsthucp5c7a5pnudo2exha2slmzzxqdpirixai2vyahuwqul3si"}}}}','');
INSERT INTO "drafts" VALUES(3,'daily','twitter:188005024184452355','mastodon:mastodon.example/117659978956800000','117659979022336000','https://mastodon.example/@anna/117659979022336000',1,1,0,'3af92fd7dc65ae1f652f20f70d13f57355191ee88fa5cd9380e3d47205af023a','{"runs":[{"text":"Første innlegg, med lenke ","kind":"text","target":"","name":""},{"text":"https://example.com/a?b=1","kind":"link","target":"https://example.com/a?b=1","name":""}],"created_at":"2026-11-22T12:00:01+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[]}',0,'sent',0,NULL,'','2026-11-22T12:00:04+00:00','2026-11-22T12:00:04+00:00','',0,NULL,NULL,'{"text":"Første innlegg, med lenke https://example.com/a?b=1"}','');
INSERT INTO "drafts" VALUES(4,'daily','twitter:188005024184452355','mastodon:mastodon.example/117659978956800000','117659979087872000','https://mastodon.example/@anna/117659979087872000',1,1,0,'15a32b5ebbe9f3aa65c958cda488b8109037ddf97e1ca0a39ba5d7fb9abf7c8b','{"runs":[{"text":"Og fortsettelsen 🧵","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:00:02+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":{"id":"117659979022336000","account":"mastodon:mastodon.example/117659978956800000","url":"","uri":"","cid":""},"losses":[]}',0,'sent',0,NULL,'','2026-11-22T12:00:04+00:00','2026-11-22T12:00:04+00:00','2124472980468662272',0,NULL,NULL,'{"text":"Og fortsettelsen 🧵","reply":{"in_reply_to_tweet_id":"2124472980468662272"}}','');
INSERT INTO "drafts" VALUES(5,'pair','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','mastodon:mastodon.example/117659978956800001','117659979218944000','https://mastodon.example/@berit/117659979218944000',1,1,0,'cec09b12df9537b52bcc7cd8df327942fc4b70dcb9a4faac72a4c44850385c74','{"runs":[{"text":"最初の投稿","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:00:04+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[]}',0,'sent',0,NULL,'','2026-11-22T12:00:04+00:00','2026-11-22T12:00:04+00:00','',0,NULL,NULL,'{"rkey":"3n2vkvvfa6gvh","record":{"$type":"app.bsky.feed.post","text":"最初の投稿","createdAt":"2026-11-22T12:00:04.000Z","tribridgeKey":"cec09b12df9537b52bcc7cd8df327942fc4b70dcb9a4faac72a4c44850385c74"}}','');
INSERT INTO "drafts" VALUES(6,'daily','bluesky:did:plc:eryy2chojruafzslmkd5tzji','mastodon:mastodon.example/117659978956800000','117659998945280000','https://mastodon.example/@anna/117659998945280000',1,1,0,'a24dd3e46c0a40e5339e2302d94eaebc768a71d515edba6a0bfcffd139382867','{"runs":[{"text":"Nettverket vil ikke ha denne","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:05:05+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[]}',0,'dead',0,NULL,'','2026-11-22T12:05:05+00:00','2026-11-22T12:05:05+00:00','',0,NULL,NULL,'{"rkey":"3n2vl6ufoalrq","record":{"$type":"app.bsky.feed.post","text":"Nettverket vil ikke ha denne","createdAt":"2026-11-22T12:05:05.000Z","tribridgeKey":"a24dd3e46c0a40e5339e2302d94eaebc768a71d515edba6a0bfcffd139382867"}}','the server refused (400)');
INSERT INTO "drafts" VALUES(7,'daily','twitter:188005024184452355','mastodon:mastodon.example/117659978956800000','117659998945280000','https://mastodon.example/@anna/117659998945280000',1,1,0,'5caedea6fcaba6ab4c837072a44e56af1b9929e1efab69ce5c0b082a8c6961fc','{"runs":[{"text":"Nettverket vil ikke ha denne","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:05:05+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[]}',0,'sent',0,NULL,'','2026-11-22T12:05:05+00:00','2026-11-22T12:05:05+00:00','2124472980468662273',0,NULL,NULL,'{"text":"Nettverket vil ikke ha denne"}','');
INSERT INTO "drafts" VALUES(8,'pair','mastodon:mastodon.example/117659978956800001','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','3n2vlhtjcw22b','https://bsky.app/profile/berit.test/post/3n2vlhtjcw22b',1,1,0,'ddec200fbc1c5dd40ef160648a4b42bd957116d03cac4d316dc71a3eaf4d2412','{"runs":[{"text":"В пути, и никто не знает","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:10:06+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[]}',0,'sending',1,'2026-11-22T12:11:06+00:00','account','2026-11-22T12:10:06+00:00','2026-11-22T12:10:06+00:00','117659979218944000',0,NULL,NULL,'{"status":"В пути, и никто не знает","visibility":"public","sensitive":false}','in doubt: looking once more before sending again');
INSERT INTO "drafts" VALUES(9,'daily','bluesky:did:plc:eryy2chojruafzslmkd5tzji','mastodon:mastodon.example/117659978956800000','117660018737152000','https://mastodon.example/@anna/117660018737152000',1,1,0,'a45afefd88744a734c6a165c326c6e0c3de878310173f39fe6446caf9f9b27bb','{"runs":[{"text":"Blir for gammel","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:10:07+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[]}',0,'queued',0,NULL,'',NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "drafts" VALUES(10,'daily','twitter:188005024184452355','mastodon:mastodon.example/117659978956800000','117660018737152000','https://mastodon.example/@anna/117660018737152000',1,1,0,'7b0a97f06bac2ed4726f41951d58df2af4171a41359efbf9397dfc1588b74299','{"runs":[{"text":"Blir for gammel","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:10:07+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[]}',0,'held',0,NULL,'',NULL,NULL,NULL,0,NULL,NULL,NULL,'older than the bot''s max_age before it could be sent');
INSERT INTO "drafts" VALUES(11,'daily','bluesky:did:plc:eryy2chojruafzslmkd5tzji','mastodon:mastodon.example/117659978956800000','117677005733888000','https://mastodon.example/@anna/117677005733888000',1,1,0,'634af3596995af97bef8282e9a0f4489d3dcde2afe8878a3f0e62f51a04317d5','{"runs":[{"text":"Venter ennå","kind":"text","target":"","name":""}],"created_at":"2026-11-25T12:10:08+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[]}',0,'queued',0,NULL,'',NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "drafts" VALUES(12,'daily','twitter:188005024184452355','mastodon:mastodon.example/117659978956800000','117677005733888000','https://mastodon.example/@anna/117677005733888000',1,1,0,'c97a1b073fbd8ebaa6455df7afdff33483a16867c600288f65f04b0ab2def29a','{"runs":[{"text":"Venter ennå","kind":"text","target":"","name":""}],"created_at":"2026-11-25T12:10:08+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[]}',0,'queued',0,NULL,'',NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
CREATE TABLE "links" (
   "origin" TEXT,
   "origin_id" TEXT,
   "identity" TEXT,
   "part" INTEGER,
   "role" TEXT,
   "post_id" TEXT,
   "url" TEXT,
   "uri" TEXT,
   "cid" TEXT,
   "root" TEXT,
   "at" TEXT,
   PRIMARY KEY ("origin", "origin_id", "identity", "part")
);
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979022336000','mastodon:mastodon.example/117659978956800000',1,'origin','117659979022336000','https://mastodon.example/@anna/117659979022336000','','','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979087872000','mastodon:mastodon.example/117659978956800000',1,'origin','117659979087872000','https://mastodon.example/@anna/117659979087872000','','','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800001','117659979218944000','mastodon:mastodon.example/117659978956800001',1,'origin','117659979218944000','https://mastodon.example/@berit/117659979218944000','','','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979022336000','bluesky:did:plc:eryy2chojruafzslmkd5tzji',1,'copy','3n2vkvs3xut6m','https://bsky.app/profile/anna.test/post/3n2vkvs3xut6m','at://did:plc:eryy2chojruafzslmkd5tzji/app.bsky.feed.post/3n2vkvs3xut6m','bafyreicxsthucp5c7a5pnudo2exha2slmzzxqdpirixai2vyahuwqul3si','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979087872000','bluesky:did:plc:eryy2chojruafzslmkd5tzji',1,'copy','3n2vkvsxx6bwx','https://bsky.app/profile/anna.test/post/3n2vkvsxx6bwx','at://did:plc:eryy2chojruafzslmkd5tzji/app.bsky.feed.post/3n2vkvsxx6bwx','bafyreic6wtgf6h52kaeezgyrig75srmdqnkii2tw3f5rfsi3vtuz77mwdi','["3n2vkvs3xut6m","bluesky:did:plc:eryy2chojruafzslmkd5tzji","https://bsky.app/profile/anna.test/post/3n2vkvs3xut6m","at://did:plc:eryy2chojruafzslmkd5tzji/app.bsky.feed.post/3n2vkvs3xut6m","bafyreicxsthucp5c7a5pnudo2exha2slmzzxqdpirixai2vyahuwqul3si"]','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979022336000','twitter:188005024184452355',1,'copy','2124472980468662272','https://x.com/anna/status/2124472980468662272','','','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979087872000','twitter:188005024184452355',1,'copy','2124472980468662273','https://x.com/anna/status/2124472980468662273','','','["2124472980468662272","twitter:188005024184452355","https://x.com/anna/status/2124472980468662272","",""]','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800001','117659979218944000','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz',1,'copy','3n2vkvvfa6gvh','https://bsky.app/profile/berit.test/post/3n2vkvvfa6gvh','at://did:plc:m6mr3jd4mzcptqvcib574mqz/app.bsky.feed.post/3n2vkvvfa6gvh','bafyreib6holol6mj7lofk7esf5mwbk5e3s562fi4nxcmr45ocyyxstdpay','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659998945280000','mastodon:mastodon.example/117659978956800000',1,'origin','117659998945280000','https://mastodon.example/@anna/117659998945280000','','','','2026-11-22T12:05:05+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659998945280000','twitter:188005024184452355',1,'copy','2124474242954166272','https://x.com/anna/status/2124474242954166272','','','','2026-11-22T12:05:05+00:00');
INSERT INTO "links" VALUES('bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','3n2vlhtjcw22b','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz',1,'origin','3n2vlhtjcw22b','https://bsky.app/profile/berit.test/post/3n2vlhtjcw22b','at://did:plc:m6mr3jd4mzcptqvcib574mqz/app.bsky.feed.post/3n2vlhtjcw22b','bafyreidjaiyphktvfjvn4tn2xhqcyizfxwzkrbdmell6dujc6sophognt4','','2026-11-22T12:10:06+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117660018737152000','mastodon:mastodon.example/117659978956800000',1,'origin','117660018737152000','https://mastodon.example/@anna/117660018737152000','','','','2026-11-22T12:10:07+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117677005733888000','mastodon:mastodon.example/117659978956800000',1,'origin','117677005733888000','https://mastodon.example/@anna/117677005733888000','','','','2026-11-25T12:10:08+00:00');
CREATE TABLE "seen" (
   "bot" TEXT,
   "source" TEXT,
   "target" TEXT,
   "post_id" TEXT,
   "revision" TEXT,
   "verdict" TEXT,
   "reason" TEXT,
   "url" TEXT,
   "at" TEXT,
   PRIMARY KEY ("bot", "source", "target", "post_id", "revision")
);
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117659979022336000','','queued','','https://mastodon.example/@anna/117659979022336000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117659979087872000','','queued','','https://mastodon.example/@anna/117659979087872000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117659979153408000','','skipped','skip: hashtag nobridge','https://mastodon.example/@anna/117659979153408000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117659979022336000','','queued','','https://mastodon.example/@anna/117659979022336000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117659979087872000','','queued','','https://mastodon.example/@anna/117659979087872000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117659979153408000','','skipped','skip: hashtag nobridge','https://mastodon.example/@anna/117659979153408000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('pair','mastodon:mastodon.example/117659978956800001','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','117659979218944000','','queued','','https://mastodon.example/@berit/117659979218944000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117659998945280000','','queued','','https://mastodon.example/@anna/117659998945280000','2026-11-22T12:05:05+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117659998945280000','','queued','','https://mastodon.example/@anna/117659998945280000','2026-11-22T12:05:05+00:00');
INSERT INTO "seen" VALUES('pair','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','mastodon:mastodon.example/117659978956800001','3n2vkvvfa6gvh','','skipped','copy of a post of mastodon:mastodon.example/117659978956800001','https://bsky.app/profile/berit.test/post/3n2vkvvfa6gvh','2026-11-22T12:05:05+00:00');
INSERT INTO "seen" VALUES('pair','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','mastodon:mastodon.example/117659978956800001','3n2vlhtjcw22b','','queued','','https://bsky.app/profile/berit.test/post/3n2vlhtjcw22b','2026-11-22T12:10:06+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117660018737152000','','queued','','https://mastodon.example/@anna/117660018737152000','2026-11-22T12:10:07+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117660018737152000','','queued','','https://mastodon.example/@anna/117660018737152000','2026-11-22T12:10:07+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117677005733888000','','queued','','https://mastodon.example/@anna/117677005733888000','2026-11-25T12:10:08+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117677005733888000','','queued','','https://mastodon.example/@anna/117677005733888000','2026-11-25T12:10:08+00:00');
CREATE TABLE "sessions" (
   "identity" TEXT PRIMARY KEY,
   "data" TEXT
);
INSERT INTO "sessions" VALUES('mastodon:mastodon.example/117659978956800000','{"made": "up"}');
INSERT INTO "sessions" VALUES('bluesky:did:plc:eryy2chojruafzslmkd5tzji','{"made": "up"}');
INSERT INTO "sessions" VALUES('twitter:188005024184452355','{"made": "up"}');
INSERT INTO "sessions" VALUES('mastodon:mastodon.example/117659978956800001','{"made": "up"}');
INSERT INTO "sessions" VALUES('bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','{"made": "up"}');
CREATE TABLE "spend" (
   "identity" TEXT,
   "day" TEXT,
   "kind" TEXT,
   "reserved" REAL,
   "spent" REAL,
   PRIMARY KEY ("identity", "day", "kind")
);
INSERT INTO "spend" VALUES('made up','made up','made up',1.5,1.5);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX "idx_seen_source_revision"
    ON "seen" ("source", "revision");
CREATE UNIQUE INDEX "idx_drafts_target_source_source_id_part_generation"
    ON "drafts" ("target", "source", "source_id", "part", "generation");
CREATE INDEX "idx_drafts_target_state_id"
    ON "drafts" ("target", "state", "id");
CREATE UNIQUE INDEX "idx_links_identity_post_id"
    ON "links" ("identity", "post_id");
COMMIT;
