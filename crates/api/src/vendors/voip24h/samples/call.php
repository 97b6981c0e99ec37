<?php
// Rings an extension, then dials the customer; lists the calls of the last day; hangs up.
// Needs PHP 5.6 or later with its curl extension.
const BASE = '{{base}}';
const VOIP = '{{voip}}';
const SECRET = '{{secret}}';
const SIP = '{{sip}}';
const PHONE = '{{phone}}';

function ask($path, array $parameters)
{
    $query = http_build_query(['voip' => VOIP, 'secret' => SECRET] + $parameters);
    $curl = curl_init(BASE . $path . '?' . $query);
    curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 60]);
    $body = curl_exec($curl);
    if ($body === false) {
        throw new RuntimeException(curl_error($curl));
    }
    return json_decode($body, true);
}

// The answer comes when the extension's phone rings.
$call = ask('/dial', ['sip' => SIP, 'phone' => PHONE]);
if ($call['call_status'] !== 'Success') {
    fwrite(STDERR, $call['call_status'] . ': ' . $call['message'] . "\n");
    exit(1);
}
echo 'call ', $call['callid'], ' ', $call['events'][0]['state'], "\n";

// 25 calls a page, newest first.
$filter = ['date_start' => time() - 86400, 'date_end' => time()];
do {
    $page = ask('/dial/search', $filter);
    if ($page['status'] !== 200) {
        fwrite(STDERR, $page['message'] . "\n");
        exit(1);
    }
    foreach ($page['result']['data'] as $row) {
        echo $row['callid'], ' ', $row['type'], ' ', $row['src'], ' ', $row['dst'], ' ';
        echo $row['status'], ' ', (int) $row['billsec'], "\n";
    }
    $filter['start'] = $page['result']['next'];
} while ($filter['start']);

$over = ask('/dial/hangup', ['sip' => SIP, 'phone' => PHONE]);
echo 'hang up ', $over['call_status'], "\n";
